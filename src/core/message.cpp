#include "core/message.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <string_view>

namespace goneuron {

namespace {
thread_local const UserCall* active_call = nullptr;
thread_local bool in_user_code = false;
thread_local const std::string* active_layer = nullptr;

/// True for text that ends in "(file:line)".
bool has_line(std::string_view where) {
  if (where.empty() || where.back() != ')') return false;
  const auto digits = where.find_last_not_of("0123456789", where.size() - 2);
  return digits != std::string_view::npos && digits + 2 < where.size() && where[digits] == ':';
}
}  // namespace

std::string site_text(Site site) {
  const std::string_view path = site.file;
  if (path.empty()) return "";
  const auto slash = path.find_last_of('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1)) + ":" +
         std::to_string(site.line);
}

std::string place(const std::string& name, Site site) {
  const std::string where = site_text(site);
  return where.empty() ? name : name + " (" + where + ")";
}

std::string call_site(const char* function, Site site) {
  return place(std::string(function) + "()", site);
}

UserCall::UserCall(const char* function, Site site, bool quiet)
    : function_(function), site_(site), quiet_(quiet), before_(active_call) {
  inside_user_code_ = in_user_code;
  if (active_call != nullptr && !in_user_code) return;
  active_call = this;
  in_user_code = false;
}

UserCall::~UserCall() {
  active_call = before_;
  in_user_code = inside_user_code_;
}

std::string UserCall::text() const {
  return quiet_ ? place(function_, site_) : call_site(function_, site_);
}

UserCode::UserCode() : before_(in_user_code) { in_user_code = true; }
UserCode::~UserCode() { in_user_code = before_; }

LayerPlace::LayerPlace(std::string text) : text_(std::move(text)), before_(active_layer) {
  active_layer = &text_;
}
LayerPlace::~LayerPlace() { active_layer = before_; }

bool in_library() { return active_call != nullptr && !in_user_code; }

std::string user_place(const char* function, Site site) {
  return in_library() ? "" : place(function, site);
}

std::string Message::str(const char* kind) const {
  std::string place = where;
  const auto put_before = [&](const std::string& text) {
    if (!has_line(place) && place != text) place = place.empty() ? text : text + ": " + place;
  };
  if (active_layer != nullptr) put_before(*active_layer);
  auto all = lines;
  if (active_call != nullptr) {
    const std::string call = active_call->text();
    const bool known = has_line(place);
    put_before(call);
    if (known && !active_call->quiet() &&
        place.find(site_text(active_call->site())) == std::string::npos)
      all.emplace_back("during", call);
  }
  std::string text = std::string(kind) + ": " + (place.empty() ? "" : place + ": ") + what;
  if (!hint.empty()) all.emplace_back("hint", hint);
  size_t width = 4;
  for (const auto& line : all) width = std::max(width, line.first.size());
  for (const auto& [label, value] : all)
    text += "\n  " + label + std::string(width - label.size() + 3, ' ') + value;
  return text;
}

void throw_shape(const Message& message) { throw ShapeError(message.str("ShapeError")); }
void throw_type(const Message& message) { throw TypeError(message.str("TypeError")); }
void throw_graph(const Message& message) { throw GraphError(message.str("GraphError")); }
void throw_device(const Message& message) { throw DeviceError(message.str("DeviceError")); }
void throw_memory(const Message& message) { throw OutOfMemory(message.str("OutOfMemory")); }
void throw_format(const Message& message) { throw FormatError(message.str("FormatError")); }
void throw_data(const Message& message) { throw DataError(message.str("DataError")); }

std::string quoted_list(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "\"" : ", \"") + name + "\"";
  return text.empty() ? "none" : text;
}

std::string counted(i64 count, const std::string& thing) {
  return std::to_string(count) + " " + thing + (count == 1 ? "" : "s");
}

std::string number_text(double value) {
  return std::isnan(value) ? "nan" : fmt::format("{}", value);  // the sign of a NaN says nothing
}

}  // namespace goneuron
