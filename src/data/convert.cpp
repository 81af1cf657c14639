#include "data/convert.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <type_traits>

#include "core/half.h"
#include "core/message.h"
#include "core/tensor_values.h"
#include "core/unit_bytes.h"

namespace goneuron {

namespace {

constexpr bool unit_is_exact() {
  for (int v = 0; v < 256; ++v)
    if (unit_of(static_cast<std::uint8_t>(v)) != static_cast<float>(v) / 255.0F) return false;
  return true;
}
static_assert(unit_is_exact(), "every u8 must become value / 255 correctly rounded");

struct ByValue {
  template <class To, class From>
  static To convert(From value) {
    return static_cast<To>(value);
  }
};
struct ByUnit {
  template <class To>
  static To convert(std::uint8_t value) {
    if constexpr (std::is_same_v<To, float>) return unit_of(value);
    return static_cast<To>(value) / static_cast<To>(255);
  }
};
struct FromBf16 {
  template <class To>
  static To convert(std::uint16_t bits) {
    return static_cast<To>(bf16_value(bits));
  }
};
struct FromF16 {
  template <class To>
  static To convert(std::uint16_t bits) {
    return static_cast<To>(f16_value(bits));
  }
};

/// Runs of `count` elements, which follow each other at `from`, and begin `pitch` apart at `out`.
template <class To, class From, class How>
void convert_runs(To* __restrict out, const From* __restrict from, i64 count, i64 runs, i64 pitch) {
  constexpr i64 short_run = 4;  // a call of memcpy costs more
  if constexpr (std::is_same_v<To, float> && std::is_same_v<How, ByUnit>) {
    if (count > short_run) return units_of(out, from, count, runs, pitch);
  }
  for (i64 run = 0; run < runs; ++run, from += count, out += pitch) {
    if constexpr (std::is_same_v<To, From> && std::is_same_v<How, ByValue>) {
      if (count > short_run) {
        std::memcpy(out, from, static_cast<size_t>(count) * sizeof(To));
        continue;
      }
    }
    for (i64 i = 0; i < count; ++i) out[i] = How::template convert<To>(from[i]);
  }
}

/// Random rows miss every cache: ask for a row while the one three before it is converted.
inline void prefetch_row(const char* row, i64 bytes) {
  for (i64 line = 0; line < std::min<i64>(bytes, 4096); line += 64)
    __builtin_prefetch(row + line, 0, 3);
}

template <class To, class From, class How>
void gather(void* out, const void* from, const std::uint32_t* order, i64 rows,
            const RowBands& row) {
  const i64 elements = row.elements, count = row.count, stored = row.bands * elements;
  auto* to = static_cast<To*>(out) + row.first * row.pitch;
  const auto* start = static_cast<const From*>(from) + row.first * elements;
  if (order == nullptr && row.bands == 1)
    return convert_runs<To, From, How>(to, start, rows * elements, 1, 0);
  const auto row_at = [&](i64 r) { return start + (order ? i64{order[r]} : r) * stored; };
  constexpr i64 ahead = 3;
  const auto row_bytes = static_cast<i64>(sizeof(From)) * count * elements;
  for (i64 r = 0; r < rows; ++r, to += elements) {
    if (r + ahead < rows) prefetch_row(reinterpret_cast<const char*>(row_at(r + ahead)), row_bytes);
    convert_runs<To, From, How>(to, row_at(r), elements, count, row.pitch);
  }
}

template <class To>
GatherRows to_floating(GatherRole role, DType from) {
  switch (from) {
    case DType::f32:
      return gather<To, float, ByValue>;
    case DType::f64:
      return gather<To, double, ByValue>;
    case DType::i32:
      return gather<To, std::int32_t, ByValue>;
    case DType::i16:
      return gather<To, std::int16_t, ByValue>;
    case DType::i8:
      return gather<To, std::int8_t, ByValue>;
    case DType::u8:
      return role == GatherRole::input ? gather<To, std::uint8_t, ByUnit>
                                       : gather<To, std::uint8_t, ByValue>;
    case DType::bf16:
      return gather<To, std::uint16_t, FromBf16>;
    case DType::f16:
      return gather<To, std::uint16_t, FromF16>;
  }
  return nullptr;
}

/// Floating inputs have been checked to be whole numbers; targets are never taken for those.
GatherRows to_whole(GatherRole role, DType from) {
  if (is_floating(from) && role == GatherRole::target) return nullptr;
  switch (from) {
    case DType::f32:
      return gather<std::int32_t, float, ByValue>;
    case DType::f64:
      return gather<std::int32_t, double, ByValue>;
    case DType::bf16:
      return gather<std::int32_t, std::uint16_t, FromBf16>;
    case DType::f16:
      return gather<std::int32_t, std::uint16_t, FromF16>;
    case DType::i32:
      return gather<std::int32_t, std::int32_t, ByValue>;
    case DType::i16:
      return gather<std::int32_t, std::int16_t, ByValue>;
    case DType::i8:
      return gather<std::int32_t, std::int8_t, ByValue>;
    case DType::u8:
      return gather<std::int32_t, std::uint8_t, ByValue>;
  }
  return nullptr;
}

GatherRows copy_of(i64 bytes) {
  switch (bytes) {
    case 1:
      return gather<std::uint8_t, std::uint8_t, ByValue>;
    case 2:
      return gather<std::uint16_t, std::uint16_t, ByValue>;
    case 4:
      return gather<std::uint32_t, std::uint32_t, ByValue>;
    default:
      return gather<std::uint64_t, std::uint64_t, ByValue>;
  }
}

}  // namespace

GatherRows gather_for(GatherRole role, DType from, DType to, const char* where) {
  GatherRows found = nullptr;
  if (from == to)
    found = copy_of(dtype_size(from));
  else if (to == DType::f32)
    found = to_floating<float>(role, from);
  else if (to == DType::f64)
    found = to_floating<double>(role, from);
  else if (to == DType::i32)
    found = to_whole(role, from);
  if (found != nullptr) return found;
  const std::string what = role == GatherRole::input ? "x" : "y";
  throw_type(
      {where,
       what + " is " + dtype_name(from) + ", the model needs " + dtype_name(to),
       {},
       "convert it first: " + what + ".to(DType::" + dtype_name(to) + ")" +
           (role == GatherRole::target && to == DType::i32 ? "; class labels are whole numbers"
                                                           : "")});
}

void check_whole(const Tensor& data, DType to, const WholeCheck& check) {
  if (!is_floating(data.dtype()) || is_floating(to)) return;
  double values[256];
  constexpr double low = -2147483648.0, high = 2147483647.0;
  for (i64 at = 0; at < data.size(); at += 256) {
    const i64 count = std::min<i64>(256, data.size() - at);
    load_values(data.raw(), data.dtype(), at, count, values);
    const auto* bad = std::find_if(values, values + count, [](double v) {
      return !(v >= low && v <= high && v == std::floor(v));
    });
    if (bad == values + count) continue;
    const i64 element = at + (bad - values), width = std::max<i64>(check.sample.elements(), 1);
    throw_data({check.where,
                check.name + " is " + number_text(*bad) + " in row " +
                    std::to_string(check.first_row + element / width) + ", " +
                    element_text(check.sample, element % width) +
                    "; expected whole numbers, as the model's input is " + dtype_name(to),
                {{check.name, data.shape().str() + " " + dtype_name(data.dtype())}},
                "pass integers, such as the numbers of tokens, or make the input f32"});
  }
}

std::string element_text(const Shape& sample, i64 element) {
  if (sample.rank() <= 1) return "column " + std::to_string(element);
  std::vector<i64> index(static_cast<size_t>(sample.rank()));
  for (int axis = sample.rank() - 1; axis >= 0; --axis) {
    index[static_cast<size_t>(axis)] = element % sample[axis];
    element /= sample[axis];
  }
  return "element " + Shape(index).str();
}

}  // namespace goneuron
