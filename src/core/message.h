// The one format of error messages: what happened where, the values involved, and the fix.
// Used by everything that throws.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "goneuron/error.h"
#include "goneuron/site.h"

namespace goneuron {

/// "train.cpp:14"; empty when the site is unknown.
std::string site_text(Site site);

struct Message {
  std::string where;  // `Dense "dense_2" (train.cpp:14)`
  std::string what;   // found and expected, in one sentence without a full stop
  std::vector<std::pair<std::string, std::string>> lines =
      {};  // {"input", "[batch, 64]  from ..."}
  std::string hint = {};

  /// "ShapeError: where: what\n  label   text\n  hint    fix"
  std::string str(const char* kind) const;
};

[[noreturn]] void throw_shape(const Message& message);
[[noreturn]] void throw_type(const Message& message);
[[noreturn]] void throw_graph(const Message& message);
[[noreturn]] void throw_device(const Message& message);
[[noreturn]] void throw_memory(const Message& message);
[[noreturn]] void throw_format(const Message& message);
[[noreturn]] void throw_data(const Message& message);

/// "a", "b", "c": for lists of names that exist.
std::string quoted_list(const std::vector<std::string>& names);
/// The shortest decimal that reads back as `value`.
std::string number_text(double value);

}  // namespace goneuron
