#include "core/tensor_values.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/half.h"

namespace goneuron {

namespace {

template <class T>
void load(const void* memory, i64 first, i64 count, double* out) {
  const T* from = static_cast<const T*>(memory) + first;
  for (i64 i = 0; i < count; ++i) out[i] = static_cast<double>(from[i]);
}

template <class T>
void store(const double* values, i64 first, i64 count, void* memory) {
  T* to = static_cast<T*>(memory) + first;
  for (i64 i = 0; i < count; ++i) {
    if constexpr (std::numeric_limits<T>::is_integer) {
      constexpr double low = std::numeric_limits<T>::min();
      constexpr double high = std::numeric_limits<T>::max();
      const double value = std::isnan(values[i]) ? 0 : std::nearbyint(values[i]);
      to[i] = static_cast<T>(std::clamp(value, low, high));
    } else {
      to[i] = static_cast<T>(values[i]);
    }
  }
}

}  // namespace

void load_values(const void* memory, DType dtype, i64 first, i64 count, double* out) {
  const auto* halves = static_cast<const std::uint16_t*>(memory);
  switch (dtype) {
    case DType::f32:
      return load<float>(memory, first, count, out);
    case DType::f64:
      return load<double>(memory, first, count, out);
    case DType::i32:
      return load<std::int32_t>(memory, first, count, out);
    case DType::i16:
      return load<std::int16_t>(memory, first, count, out);
    case DType::i8:
      return load<std::int8_t>(memory, first, count, out);
    case DType::u8:
      return load<std::uint8_t>(memory, first, count, out);
    case DType::bf16:
      for (i64 i = 0; i < count; ++i) out[i] = bf16_value(halves[first + i]);
      return;
    case DType::f16:
      for (i64 i = 0; i < count; ++i) out[i] = f16_value(halves[first + i]);
      return;
  }
}

void store_values(const double* values, i64 first, i64 count, void* memory, DType dtype) {
  auto* halves = static_cast<std::uint16_t*>(memory);
  switch (dtype) {
    case DType::f32:
      return store<float>(values, first, count, memory);
    case DType::f64:
      return store<double>(values, first, count, memory);
    case DType::i32:
      return store<std::int32_t>(values, first, count, memory);
    case DType::i16:
      return store<std::int16_t>(values, first, count, memory);
    case DType::i8:
      return store<std::int8_t>(values, first, count, memory);
    case DType::u8:
      return store<std::uint8_t>(values, first, count, memory);
    case DType::bf16:
      for (i64 i = 0; i < count; ++i) halves[first + i] = bf16_bits(values[i]);
      return;
    case DType::f16:
      for (i64 i = 0; i < count; ++i) halves[first + i] = f16_bits(values[i]);
      return;
  }
}

}  // namespace goneuron
