#include "train/callbacks/path_pattern.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/message.h"

namespace goneuron {

namespace {
bool whole(const std::string& name) { return name == "epoch" || name == "step"; }
std::string formatted(const std::string& name, const std::string& format, double value) {
  if (whole(name)) return fmt::format(fmt::runtime("{" + format + "}"), static_cast<i64>(value));
  return fmt::format(fmt::runtime("{" + format + "}"), value);
}
}  // namespace

PathPattern::PathPattern(const char* callback, const std::string& pattern, Site site)
    : callback_(callback), site_(site) {
  const auto fail = [&](const std::string& what, const std::string& hint) {
    throw_graph({.where = user_place(callback, site),
                 .what = what,
                 .lines = {{"path", pattern}},
                 .hint = hint});
  };
  for (size_t at = 0; at <= pattern.size();) {
    const size_t open = pattern.find('{', at);
    Part part{pattern.substr(at, open - at), "", ""};
    if (open == std::string::npos) {
      parts_.push_back(part);
      return;
    }
    const size_t close = pattern.find('}', open);
    if (close == std::string::npos)
      fail("a brace of the path does not end; expected {name} or {name:format}",
           "{epoch:02} is the epoch with two digits");
    const std::string inside = pattern.substr(open + 1, close - open - 1);
    const size_t colon = std::min(inside.find(':'), inside.size());
    part.name = inside.substr(0, colon), part.format = inside.substr(colon);
    if (part.name.empty()) fail("{} in the path has no name; expected one", "{epoch} is one");
    try {
      formatted(part.name, part.format, 1);
    } catch (const fmt::format_error& error) {
      fail("{" + inside + "} has a format that is not known: " + error.what(),
           "{epoch:02} and {val_loss:.3f} are usual");
    }
    parts_.push_back(part);
    at = close + 1;
  }
}

void PathPattern::check(const std::vector<std::string>& names) const {
  for (const Part& part : parts_) {
    if (part.name.empty() || whole(part.name)) continue;
    if (std::find(names.begin(), names.end(), part.name) != names.end()) continue;
    std::vector<std::string> all = {"epoch", "step"};
    all.insert(all.end(), names.begin(), names.end());
    throw_graph({.where = user_place(callback_.c_str(), site_),
                 .what = "the path has {" + part.name + "}; expected one of the names below",
                 .lines = {{"names", quoted_list(all)}},
                 .hint = "val_ names need a validation set, and are known at an epoch's end only"});
  }
}

std::string PathPattern::path(i64 epoch, i64 step, const Logs& logs) const {
  std::string text;
  for (const Part& part : parts_) {
    text += part.text;
    if (part.name.empty()) continue;
    const double value = part.name == "epoch"  ? static_cast<double>(epoch)
                         : part.name == "step" ? static_cast<double>(step)
                                               : logs[LogName(part.name, site_)];
    text += formatted(part.name, part.format, value);
  }
  return text;
}

}  // namespace goneuron
