// Conversions between f16 / bf16 bit patterns and double, rounding to nearest even once.
// Used by tensors; kernels have vector versions of their own.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace goneuron {

inline double bf16_value(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

/// The nearest bf16, ties to even, as a float; NaN stays NaN.
inline float round_to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000;
  return std::bit_cast<float>(value == value ? rounded : bits);
}

inline double f16_value(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
  double value = 0;
  if (exponent == 31) {
    value = fraction == 0 ? HUGE_VAL : std::nan("");
  } else {
    value = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(fraction + 1024, exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -value : value;
}

/// The nearest multiple of the last bit that a format with `fraction_bits` has at this magnitude.
inline double round_to_format(double value, int fraction_bits, int min_exponent) {
  if (!std::isfinite(value) || value == 0) return value;
  const int exponent = std::max(std::ilogb(value), min_exponent);
  return std::ldexp(std::nearbyint(std::ldexp(value, fraction_bits - exponent)),
                    exponent - fraction_bits);
}

inline std::uint16_t bf16_bits(double value) {
  if (std::isnan(value)) return 0x7FC0;
  const double rounded = round_to_format(value, 7, -126);
  const auto bits = std::bit_cast<std::uint32_t>(
      std::abs(rounded) >= 0x1p128
          ? std::copysign(HUGE_VALF, static_cast<float>(rounded > 0 ? 1 : -1))
          : static_cast<float>(rounded));
  return static_cast<std::uint16_t>(bits >> 16);
}

inline std::uint16_t f16_bits(double value) {
  if (std::isnan(value)) return 0x7E00;
  const int sign = std::signbit(value) ? 0x8000 : 0;
  const double size = std::abs(round_to_format(value, 10, -14));
  if (size >= 65536) return static_cast<std::uint16_t>(sign | 0x7C00);
  if (size < 0x1p-14) return static_cast<std::uint16_t>(sign | static_cast<int>(size * 0x1p24));
  const int exponent = std::ilogb(size);
  const int fraction = static_cast<int>(std::ldexp(size, 10 - exponent)) - 1024;
  return static_cast<std::uint16_t>(sign | ((exponent + 15) << 10) | fraction);
}

}  // namespace goneuron
