// UTF-8, checked (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
// Used by the readers of text.
#pragma once

#include <string>

#include "goneuron/shape.h"

namespace goneuron::data {

/// The code point that begins at `at`, which moves behind it; -1, and `at` stays, where the bytes
/// are no UTF-8.
std::int32_t next_code(const std::string& text, size_t& at);
std::string utf8_of(std::int32_t code);
/// "line 3, column 14", counted from 1; columns are characters.
std::string text_place(const std::string& text, size_t at);

}  // namespace goneuron::data
