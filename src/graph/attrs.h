// Attrs: the named constants of a node (stride, axes, alpha, ...). Small, ordered by name,
// comparable and writable to a file; nothing else may decide what an op computes.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "goneuron/shape.h"

namespace goneuron {

using AttrValue = std::variant<i64, double, std::string, std::vector<i64>>;

class Attrs {
 public:
  Attrs() = default;
  Attrs(std::initializer_list<std::pair<std::string_view, AttrValue>> items);

  void set(std::string_view name, AttrValue value);
  bool has(std::string_view name) const { return find(name) != nullptr; }
  /// The value; throws GraphError when it is missing or of another kind: a file may lie about it.
  i64 integer(std::string_view name) const;
  i64 integer(std::string_view name, i64 otherwise) const;
  double real(std::string_view name) const;
  double real(std::string_view name, double otherwise) const;
  const std::string& text(std::string_view name) const;
  const std::vector<i64>& list(std::string_view name) const;

  const std::vector<std::pair<std::string, AttrValue>>& items() const { return items_; }
  friend bool operator==(const Attrs&, const Attrs&) = default;

 private:
  const AttrValue* find(std::string_view name) const;
  std::vector<std::pair<std::string, AttrValue>> items_;
};

}  // namespace goneuron
