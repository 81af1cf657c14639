#include "backends/cpu/transpose.h"

#include <algorithm>

#include "backends/cpu/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/transpose.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h comes first
#include <hwy/highway.h>

#include "backends/cpu/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace goneuron::cpu::HWY_NAMESPACE {

#include "backends/cpu/transpose-inl.h"

namespace {

constexpr i64 block = 32;  // a block of both sides stays in the first-level cache

void transpose_all(const float* from, i64 from_row, i64 rows, i64 columns, float* to, i64 to_row) {
  for (i64 i = 0; i < rows; i += block)
    for (i64 j = 0; j < columns; j += block)
      transpose(from + i * from_row + j, from_row, std::min(block, rows - i),
                std::min(block, columns - j), to + j * to_row + i, to_row);
}

}  // namespace

TransposeBlock find_transpose() { return transpose_all; }

}  // namespace goneuron::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace goneuron::cpu {

HWY_EXPORT(find_transpose);
TransposeBlock transpose_block() {
  choose_target();
  return HWY_DYNAMIC_DISPATCH(find_transpose)();
}

}  // namespace goneuron::cpu
#endif
