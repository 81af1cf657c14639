#include "graph/attrs.h"

#include <algorithm>

#include "goneuron/error.h"

namespace goneuron {

Attrs::Attrs(std::initializer_list<std::pair<std::string_view, AttrValue>> items) {
  for (const auto& [name, value] : items) set(name, value);
}

void Attrs::set(std::string_view name, AttrValue value) {
  const auto at = std::lower_bound(
      items_.begin(), items_.end(), name,
      [](const auto& item, std::string_view wanted) { return item.first < wanted; });
  if (at != items_.end() && at->first == name)
    at->second = std::move(value);
  else
    items_.insert(at, {std::string(name), std::move(value)});
}

const AttrValue* Attrs::find(std::string_view name) const {
  const auto at = std::lower_bound(
      items_.begin(), items_.end(), name,
      [](const auto& item, std::string_view wanted) { return item.first < wanted; });
  return at != items_.end() && at->first == name ? &at->second : nullptr;
}

namespace {
template <class T>
const T& get(const AttrValue* value, std::string_view name, const char* kind) {
  if (value != nullptr)
    if (const T* held = std::get_if<T>(value)) return *held;
  throw GraphError("attribute \"" + std::string(name) + "\" is " +
                   (value ? "not " : "missing; it should be ") + kind);
}
}  // namespace

i64 Attrs::integer(std::string_view name) const { return get<i64>(find(name), name, "an integer"); }
i64 Attrs::integer(std::string_view name, i64 otherwise) const {
  return has(name) ? integer(name) : otherwise;
}
double Attrs::real(std::string_view name) const {
  return get<double>(find(name), name, "a number");
}
double Attrs::real(std::string_view name, double otherwise) const {
  return has(name) ? real(name) : otherwise;
}
const std::string& Attrs::text(std::string_view name) const {
  return get<std::string>(find(name), name, "a text");
}
const std::vector<i64>& Attrs::list(std::string_view name) const {
  return get<std::vector<i64>>(find(name), name, "a list of integers");
}

}  // namespace goneuron
