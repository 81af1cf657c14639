// Register tiles of attention's products in floats, and how blocks are copied and turned round;
// included once for each instruction set by attention_loops.cpp.
#if defined(GONEURON_ATTENTION_TILES_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef GONEURON_ATTENTION_TILES_INL
#undef GONEURON_ATTENTION_TILES_INL
#else
#define GONEURON_ATTENTION_TILES_INL
#endif

#include <utility>

#include "backends/cpu/attention_loops.h"
#include "backends/cpu/vector_math-inl.h"
#include "backends/cpu/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace goneuron::cpu::HWY_NAMESPACE {
namespace attention_detail {

#include "backends/cpu/transpose-inl.h"

constexpr i64 max_mr = lanes >= 16 ? 12 : 6;  // rows of a register tile of two vectors

template <i64 mr, i64 kVectors, bool kAdd>
void tile(const AttentionProduct& g, const float* HWY_RESTRICT a, float* HWY_RESTRICT c) {
  const i64 row = g.a_row, step = g.a_step, c_row = g.c_row;
  const float* HWY_RESTRICT b = g.b;
  V s[mr][kVectors];
#pragma GCC unroll 12
  for (i64 i = 0; i < mr; ++i)
#pragma GCC unroll 2
    for (i64 v = 0; v < kVectors; ++v)
      s[i][v] = kAdd ? hn::LoadU(d, c + i * c_row + v * lanes) : hn::Zero(d);
  // Four pointers reach all rows with the addressing modes that there are.
  const float* p[4] = {a, a + 3 * row, a + 6 * row, a + 9 * row};
  for (i64 k = 0; k < g.k; ++k, b += g.b_row) {
    V w[kVectors];
#pragma GCC unroll 2
    for (i64 v = 0; v < kVectors; ++v) w[v] = hn::LoadU(d, b + v * lanes);
#pragma GCC unroll 12
    for (i64 i = 0; i < mr; ++i) {
      const V x = hn::Set(d, p[i / 3][i % 3 * row]);
#pragma GCC unroll 2
      for (i64 v = 0; v < kVectors; ++v) s[i][v] = hn::MulAdd(x, w[v], s[i][v]);
    }
#pragma GCC unroll 4
    for (i64 i = 0; i < 4; ++i) p[i] += step;
  }
#pragma GCC unroll 12
  for (i64 i = 0; i < mr; ++i)
#pragma GCC unroll 2
    for (i64 v = 0; v < kVectors; ++v) hn::StoreU(s[i][v], d, c + i * c_row + v * lanes);
}

using Tile = void (*)(const AttentionProduct&, const float* a, float* c);
template <i64 kVectors, bool kAdd, size_t... kHeight>
Tile tile_of(i64 height, std::index_sequence<kHeight...>) {
  static constexpr Tile table[] = {tile<static_cast<i64>(kHeight) + 1, kVectors, kAdd>...};
  return table[height - 1];
}
inline Tile find_tile(i64 height, i64 vectors, bool add) {
  constexpr auto heights = std::make_index_sequence<max_mr>();
  if (vectors == 1)
    return add ? tile_of<1, true>(height, heights) : tile_of<1, false>(height, heights);
  return add ? tile_of<2, true>(height, heights) : tile_of<2, false>(height, heights);
}

inline void product(const AttentionProduct& g) {
  const i64 tiles = ceil_div(g.rows, max_mr);
  for (i64 t = 0; t < tiles; ++t) {  // as equal as can be
    const i64 from = g.rows * t / tiles, height = g.rows * (t + 1) / tiles - from;
    find_tile(height, g.vectors, g.add)(g, g.a + from * g.a_row, g.c + from * g.c_row);
  }
}

/// As above, with zeros up to `whole` rows.
inline void transpose(const float* from, i64 row, i64 rows, i64 depth, float* HWY_RESTRICT to,
                      i64 stride, i64 whole) {
  transpose(from, row, rows, depth, to, stride);
  for (i64 i = rows; i < whole; ++i)
    for (i64 p = 0; p < depth; ++p) to[p * stride + i] = 0;
}

inline void copy_scaled(const float* from, i64 n, float scale, float* to) {
  i64 i = 0;
  for (; i + lanes <= n; i += lanes)
    hn::StoreU(hn::Mul(hn::LoadU(d, from + i), num(scale)), d, to + i);
  for (; i < n; ++i) to[i] = from[i] * scale;
}

/// Rows one behind the other, zeros behind `depth` and behind the last.
inline void copy_rows(const float* from, i64 row, i64 n, i64 padded, i64 depth, i64 width,
                      float* to) {
  for (i64 i = 0; i < n; ++i, from += row, to += width) {
    copy_scaled(from, depth, 1, to);
    std::fill(to + depth, to + width, 0.0F);
  }
  std::fill_n(to, (padded - n) * width, 0.0F);
}

inline float dot(const float* a, const float* b, i64 n) {
  V sum = hn::Zero(d);
  for (i64 i = 0; i < n; i += lanes) {
    const auto here = hn::FirstN(d, static_cast<size_t>(std::min(lanes, n - i)));
    sum = hn::MulAdd(hn::MaskedLoad(here, d, a + i), hn::MaskedLoad(here, d, b + i), sum);
  }
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

}  // namespace attention_detail
}  // namespace goneuron::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
