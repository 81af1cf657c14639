#include "backends/cpu/transpose.h"

#include <algorithm>

#include "backends/cpu/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/transpose.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h comes first
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace goneuron::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

constexpr i64 block = 32;  // a block of both sides stays in the first-level cache

void scalar_block(const float* from, i64 from_row, i64 rows, i64 columns, float* to, i64 to_row) {
  for (i64 j = 0; j < columns; ++j)
    for (i64 i = 0; i < rows; ++i) to[j * to_row + i] = from[i * from_row + j];
}

void small_block(const float* from, i64 from_row, i64 rows, i64 columns, float* to, i64 to_row) {
  i64 i = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::FixedTag<float, 4> d;
  const i64 whole = columns - columns % 4;
  for (; i + 4 <= rows; i += 4) {
    const float *f0 = from + i * from_row, *f1 = f0 + from_row, *f2 = f1 + from_row,
                *f3 = f2 + from_row;
    for (i64 j = 0; j < whole; j += 4) {
      const auto r0 = hn::LoadU(d, f0 + j), r1 = hn::LoadU(d, f1 + j);
      const auto r2 = hn::LoadU(d, f2 + j), r3 = hn::LoadU(d, f3 + j);
      const auto u0 = hn::InterleaveLower(d, r0, r2), u1 = hn::InterleaveLower(d, r1, r3);
      const auto u2 = hn::InterleaveUpper(d, r0, r2), u3 = hn::InterleaveUpper(d, r1, r3);
      float* t = to + j * to_row + i;
      hn::StoreU(hn::InterleaveLower(d, u0, u1), d, t);
      hn::StoreU(hn::InterleaveUpper(d, u0, u1), d, t + to_row);
      hn::StoreU(hn::InterleaveLower(d, u2, u3), d, t + 2 * to_row);
      hn::StoreU(hn::InterleaveUpper(d, u2, u3), d, t + 3 * to_row);
    }
    scalar_block(f0 + whole, from_row, 4, columns - whole, to + whole * to_row + i, to_row);
  }
#endif
  scalar_block(from + i * from_row, from_row, rows - i, columns, to + i, to_row);
}

void transpose(const float* from, i64 from_row, i64 rows, i64 columns, float* to, i64 to_row) {
  for (i64 i = 0; i < rows; i += block)
    for (i64 j = 0; j < columns; j += block)
      small_block(from + i * from_row + j, from_row, std::min(block, rows - i),
                  std::min(block, columns - j), to + j * to_row + i, to_row);
}

}  // namespace

TransposeBlock find_transpose() { return transpose; }

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
