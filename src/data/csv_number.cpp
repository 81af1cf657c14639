#include "data/csv_number.h"

#include <charconv>
#include <cmath>
#include <limits>

namespace goneuron::data {

namespace {

using swar::powers;

constexpr int largest_power = 22;  // 10^22 is the last that a double holds exactly
constexpr int most_digits = 19;    // that a 64-bit mantissa always holds
constexpr std::uint64_t largest_whole = std::uint64_t{1} << 53;

bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

/// Digits at the front of the eight bytes at `at`, as a number appended to `value`; how many.
inline int append_digits(const char* at, std::uint64_t& value) {
  const swar::Digits digits = swar::digits_at(at);
  if (digits.count == 0) return 0;
  value = value * static_cast<std::uint64_t>(swar::whole_powers[digits.count]) +
          static_cast<std::uint64_t>(swar::value_of(digits));
  return digits.count;
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
  if (number.exact || rounds_clearly(number.value)) return static_cast<float>(number.value);
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
