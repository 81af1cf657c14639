#include "core/message.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>

namespace goneuron {

std::string site_text(Site site) {
  const std::string_view path = site.file;
  if (path.empty()) return "";
  const auto slash = path.find_last_of('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1)) + ":" +
         std::to_string(site.line);
}

std::string Message::str(const char* kind) const {
  std::string text = std::string(kind) + ": ";
  if (!where.empty()) text += where + ": ";
  text += what;
  auto all = lines;
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

std::string number_text(double value) { return fmt::format("{}", value); }

}  // namespace goneuron
