// Checks a config against the schema: names, types, numbers, what is missing. Used by config.cpp.
#pragma once

#include "config/schema.h"
#include "config/value.h"

namespace goneuron::config {

/// Throws FormatError for the first thing that is wrong: file, line and column, what was found and
/// expected, the key's meaning, and the nearest name.
void check(const Value& root);
/// `value` as the option `option` of `owner`: "fit", "Conv2D".
void check_option(const Value& value, const Option& option, const std::string& owner);

}  // namespace goneuron::config
