// Reads YAML as configs use it: maps, lists and scalars. Anchors, aliases, tags and several
// documents are refused, and so is what is larger or deeper than any config, before it costs
// anything. Used by config.cpp.
#pragma once

#include <string>
#include <string_view>

#include "config/value.h"

namespace goneuron::config {

/// The caps. Some hundred values in three levels are usual.
inline constexpr size_t max_bytes = 64 * 1024;
inline constexpr int max_values = 2000, max_marks = 3000, max_depth = 12;

/// The root, with `name` as the file of everything in it. FormatError with line and column.
Value read_yaml(std::string_view text, const std::string& name);
/// Throws FormatError unless `text` is UTF-8 within the caps. Called by read_yaml before its parser
/// sees anything; on its own for the tests.
void check_size_and_depth(std::string_view text, const std::string& name);

}  // namespace goneuron::config
