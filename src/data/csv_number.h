// Decimal numbers of CSV cells, parsed eight digits at a time; rounded to the nearest float.
// Used by the passes over a table, and by tests against strtof.
#pragma once

#include <bit>
#include <cstring>
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

namespace swar {

inline constexpr double powers[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                      1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
inline constexpr i64 whole_powers[9] = {1,      10,      100,      1000,     10000,
                                        100000, 1000000, 10000000, 100000000};

/// The eight bytes at `at`, where digits become 0 to 9; and how many of them are digits, from the
/// front on.
struct Digits {
  std::uint64_t word = 0;
  int count = 0;
};
inline Digits digits_at(const char* at) {
  Digits out;
  std::memcpy(&out.word, at, 8);
  out.word ^= 0x3030303030303030;
  const std::uint64_t others = ((out.word + 0x7676767676767676) | out.word) & 0x8080808080808080;
  out.count = std::countr_zero(others) / 8;
  return out;
}
/// Eight digits, the first one in the lowest byte.
inline i64 value_of(std::uint64_t word) {
  word = word * 10 + (word >> 8);  // pairs, in every second byte
  word = ((word & 0x000000FF000000FF) * 0x000F424000000064 +
          ((word >> 16) & 0x000000FF000000FF) * 0x0000271000000001) >>
         32;
  return static_cast<i64>(word);
}
/// The digits at the front, 1 to 8.
inline i64 value_of(Digits digits) { return value_of(digits.word << (64 - 8 * digits.count)); }

}  // namespace swar

/// Most numbers are short: at most 7 digits before the point and 8 after. False for all others, and
/// for what is no number. Without a branch on the sign, which nobody could predict.
inline bool parse_short_number(const char* begin, const char* end, double& value) {
  const std::uint64_t negative = *begin == '-' ? 1 : 0;
  begin += negative;
  const swar::Digits whole = swar::digits_at(begin);
  if (static_cast<unsigned>(whole.count - 1) > 6) return false;
  begin += whole.count;
  double size;
  if (begin == end) {
    size = static_cast<double>(swar::value_of(whole));
  } else {
    swar::Digits part = swar::digits_at(begin + 1);
    if (*begin != '.' || part.count == 0 || begin + 1 + part.count != end) return false;
    i64 mantissa;
    if (whole.count + part.count <= 8) {  // one word holds them all
      const int shift = 8 * whole.count;
      const std::uint64_t front = whole.word & ((std::uint64_t{1} << shift) - 1);
      mantissa = swar::value_of({front | part.word << shift, whole.count + part.count});
    } else {
      mantissa = swar::value_of(whole) * swar::whole_powers[part.count] + swar::value_of(part);
    }
    size = static_cast<double>(mantissa) / swar::powers[part.count];
  }
  value = std::bit_cast<double>(std::bit_cast<std::uint64_t>(size) | negative << 63);
  return true;
}

/// [+-]digits[.digits][e[+-]digits], with a digit before or after the point; false for any other
/// text. number_padding bytes behind `end` must be readable.
bool parse_number(const char* begin, const char* end, Number& out);
/// The float nearest to the text, ties to even, overflowing to infinity as strtof does. `number` is
/// what parse_number made of it.
float nearest_float(const Number& number, const char* begin, const char* end);
/// True where `value`, off by 2 units at most, rounds as the number does: unless it lies that close
/// to the middle between two floats. Below the normal floats the middles lie elsewhere.
inline bool rounds_clearly(double value) {
  constexpr std::uint64_t low_bits = (std::uint64_t{1} << 29) - 1, middle = std::uint64_t{1} << 28;
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const std::uint64_t size = bits & ~(std::uint64_t{1} << 63);
  constexpr auto least = std::bit_cast<std::uint64_t>(0x1.000001p-126);
  constexpr auto most = std::bit_cast<std::uint64_t>(0x1.fffffep127);
  return (bits & low_bits) - (middle - 8) > 16 && size - least < most - least;
}
/// "inf", "-Infinity", "nan": what C prints for floats that are no numbers.
bool is_special_number(std::string_view text);

}  // namespace goneuron::data
