// Bytes as numbers in [0, 1]: value / 255, correctly rounded. Used for images: by the gathers of
// data/convert.cpp, and by kernels that read bytes.
#pragma once

#include "goneuron/shape.h"

namespace goneuron {

// 1/255 = high + low with 16 bits in `high`, so that v * high is exact and one rounding is left.
inline constexpr float unit_high = 0x1.0101p-8F;
inline constexpr float unit_low = static_cast<float>(1.0 / 255.0 - 0x1.0101p-8);
constexpr float unit_of(std::uint8_t value) {
  const auto v = static_cast<float>(value);
  return v * unit_high + v * unit_low;
}

/// out[i] = unit_of(from[i]), in the widest vectors of this processor; of several runs, which
/// follow each other at `from`, and begin `pitch` apart at `out`.
void units_of(float* out, const std::uint8_t* from, i64 count, i64 runs = 1, i64 pitch = 0);

}  // namespace goneuron
