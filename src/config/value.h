// Value: what a config file holds, as a tree with the file, line and column of everything in it.
// Made by yaml.cpp, checked by check.cpp, read through Options, written by write.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "goneuron/site.h"

namespace goneuron::config {

struct Value {
  enum class Form : std::uint8_t { nothing, scalar, list, map };

  Form form = Form::nothing;
  bool quoted = false;       // a scalar in quotes is text, whatever it looks like
  int line = 0, column = 0;  // from 1; 0: not from a file
  int key_line = 0, key_column = 0;
  const char* file = "";     // lives as long as the program
  std::string key;           // of a map's member
  std::string text;          // of a scalar
  std::vector<Value> items;  // of a list or a map

  bool is_map() const { return form == Form::map; }
  bool is_list() const { return form == Form::list; }
  bool is_scalar() const { return form == Form::scalar; }
  /// The member `name` of a map, or null.
  const Value* find(std::string_view name) const;
  Value* find(std::string_view name) {
    return const_cast<Value*>(static_cast<const Value*>(this)->find(name));
  }
  /// For errors of what is made from it: "price.yaml:12".
  Site site() const { return {file, line}; }
};

/// A plain scalar, for defaults and for what `init` makes.
Value scalar(const std::string& text);
/// A member of a map: `value` under `key`.
Value member(const std::string& key, Value value);
Value map_of(std::vector<Value> members);
Value list_of(std::vector<Value> items);

/// The same text, kept until the program ends, for the lines in errors.
const char* kept(const std::string& text);

using Lines = std::vector<std::pair<std::string, std::string>>;
/// Throws FormatError: "price.yaml:12:5: what", the lines and the hint.
[[noreturn]] void fail_at(const Value& at, const std::string& what, const Lines& lines,
                          const std::string& hint);
[[noreturn]] void fail_at_key(const Value& at, const std::string& what, const Lines& lines,
                              const std::string& hint);

}  // namespace goneuron::config
