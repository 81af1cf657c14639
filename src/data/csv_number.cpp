#include "data/csv_number.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

namespace goneuron::data {

namespace {

constexpr int largest_power = 22;  // 10^22 is the last that a double holds exactly
constexpr double powers[largest_power + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                              1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                              1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr std::uint64_t whole_powers[9] = {1,      10,      100,      1000,     10000,
                                           100000, 1000000, 10000000, 100000000};
constexpr int most_digits = 19;  // that a 64-bit mantissa always holds
constexpr std::uint64_t largest_whole = std::uint64_t{1} << 53;

bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

/// Digits at the front of the eight bytes at `at`, as a number appended to `value`; how many.
inline int append_digits(const char* at, std::uint64_t& value) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, 8);
  word ^= 0x3030303030303030;  // digits become 0 to 9
  const std::uint64_t others = ((word + 0x7676767676767676) | word) & 0x8080808080808080;
  const int count = std::countr_zero(others) / 8;
  if (count == 0) return 0;
  word <<= 64 - 8 * count;         // zeros in front
  word = word * 10 + (word >> 8);  // pairs, in every second byte
  word = ((word & 0x000000FF000000FF) * 0x000F424000000064 +
          ((word >> 16) & 0x000000FF000000FF) * 0x0000271000000001) >>
         32;
  value = value * whole_powers[count] + word;
  return count;
}

/// The text's parts: mantissa * 10^exponent; `dropped`: more digits than the mantissa holds.
struct Decimal {
  std::uint64_t mantissa = 0;
  i64 exponent = 0;
  bool dropped = false;
};

/// What follows the digits: an exponent, or the end of the number.
bool parse_exponent(const char* at, const char* end, i64& exponent) {
  if (at == end) return true;
  if ((*at | 0x20) != 'e') return false;
  ++at;
  const bool negative = at < end && *at == '-';
  if (at < end && (*at == '-' || *at == '+')) ++at;
  if (at == end) return false;
  i64 value = 0;
  for (; at < end; ++at) {
    if (!is_digit(*at)) return false;
    if (value < 1'000'000) value = value * 10 + (*at - '0');
  }
  exponent += negative ? -value : value;
  return true;
}

/// Any number of digits; keeps the first that are significant.
bool parse_long(const char* at, const char* end, Decimal& out) {
  out = {};
  int kept = 0;
  bool any = false, point = false;
  for (; at < end; ++at) {
    if (*at == '.' && !point) {
      point = true;
      continue;
    }
    if (!is_digit(*at)) break;
    any = true;
    if (kept < most_digits) {
      out.mantissa = out.mantissa * 10 + static_cast<std::uint64_t>(*at - '0');
      if (out.mantissa > 0) ++kept;
      if (point) --out.exponent;
    } else {
      out.dropped |= *at != '0';
      if (!point) ++out.exponent;
    }
  }
  return any && parse_exponent(at, end, out.exponent);
}

bool parse_decimal(const char* at, const char* end, Decimal& out) {
  const char* const first = at;
  int digits = 0, count = 8;
  for (; count == 8 && at < end; at += count) digits += count = append_digits(at, out.mantissa);
  if (at < end && *at == '.') {
    ++at;
    const int before = digits;
    for (count = 8; count == 8 && at < end; at += count)
      digits += count = append_digits(at, out.mantissa);
    out.exponent = before - digits;
  }
  if (digits > most_digits) return parse_long(first, end, out);  // the mantissa wrapped around
  return digits > 0 && at <= end && (at == end || parse_exponent(at, end, out.exponent));
}

/// from_chars, with strtod's values where it has none.
template <class Real>
Real correctly_rounded(const char* begin, const char* end, const Decimal& decimal) {
  if (begin < end && *begin == '+') ++begin;
  Real value = 0;
  if (std::from_chars(begin, end, value).ec != std::errc::result_out_of_range) return value;
  // Only sizes far beyond the type's come here: which side, the power of ten tells.
  int magnitude = 0;
  for (std::uint64_t m = decimal.mantissa; m > 0; m /= 10) ++magnitude;
  const bool large = decimal.mantissa > 0 && decimal.exponent + magnitude > 0;
  const Real size = large ? std::numeric_limits<Real>::infinity() : Real{0};
  return *begin == '-' ? -size : size;
}

}  // namespace

bool parse_number(const char* begin, const char* end, Number& out) {
  if (begin == end) return false;
  const bool negative = *begin == '-';
  Decimal decimal;
  if (!parse_decimal(begin + (negative || *begin == '+' ? 1 : 0), end, decimal)) return false;
  const i64 power = decimal.exponent;
  auto value = static_cast<double>(decimal.mantissa);
  if (power >= -largest_power && power <= largest_power)
    value = power < 0 ? value / powers[-power] : value * powers[power];
  else if (decimal.mantissa != 0) {
    out = {correctly_rounded<double>(begin, end, decimal), false};
    return true;
  }
  out.value = negative ? -value : value;
  out.exact = decimal.mantissa == 0 ||
              (power == 0 && decimal.mantissa <= largest_whole && !decimal.dropped);
  return true;
}

float nearest_float(const Number& number, const char* begin, const char* end) {
  // The double is off by 2 units at most, so it rounds as the number does unless it lies that close
  // to the middle between two floats. Below the normal floats the middles lie elsewhere.
  constexpr std::uint64_t low_bits = (std::uint64_t{1} << 29) - 1, middle = std::uint64_t{1} << 28;
  const double size = std::fabs(number.value);
  const std::uint64_t low = std::bit_cast<std::uint64_t>(number.value) & low_bits;
  const bool clear = low - (middle - 8) > 16 && size > 0x1.000001p-126 && size < 0x1.fffffep127;
  if (clear || number.exact) return static_cast<float>(number.value);
  Decimal decimal;
  const bool sign = *begin == '-' || *begin == '+';
  if (!parse_long(begin + (sign ? 1 : 0), end, decimal)) return 0;
  return correctly_rounded<float>(begin, end, decimal);
}

bool is_special_number(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  if (text.size() < 3 || text.size() > 8) return false;
  char lower[8];
  for (size_t i = 0; i < text.size(); ++i) lower[i] = static_cast<char>(text[i] | 0x20);
  const std::string_view word(lower, text.size());
  return word == "inf" || word == "infinity" || word == "nan";
}

}  // namespace goneuron::data
