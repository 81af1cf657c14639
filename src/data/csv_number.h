// Decimal numbers of CSV cells, parsed eight digits at a time; rounded to the nearest float.
// Used by the passes over a table, and by tests against strtof.
#pragma once

#include <string_view>

#include "goneuron/shape.h"

namespace goneuron::data {

/// Bytes behind a cell that parsing may look at, whatever is in them.
inline constexpr size_t number_padding = 16;

/// What text of a number stands for.
struct Number {
  double value = 0;    // within 2 units of the last place
  bool exact = false;  // `value` is the number itself
};

/// [+-]digits[.digits][e[+-]digits], with a digit before or after the point; false for any other
/// text. number_padding bytes behind `end` must be readable.
bool parse_number(const char* begin, const char* end, Number& out);
/// The float nearest to the text, ties to even, overflowing to infinity as strtof does. `number` is
/// what parse_number made of it.
float nearest_float(const Number& number, const char* begin, const char* end);
/// "inf", "-Infinity", "nan": what C prints for floats that are no numbers.
bool is_special_number(std::string_view text);

}  // namespace goneuron::data
