// The products of attention in pairs of bf16, and how their operands are made of floats.
#include <utility>

#include "backends/cpu/attention_loops.h"
#include "backends/cpu/bf16_pairs.h"
#include "backends/cpu/bf16_products.h"

#if defined(__x86_64__)
GONEURON_PAIRS_BEGIN
namespace goneuron::cpu {
namespace {
using namespace bf16;

constexpr i64 max_mr = 12;

template <i64 mr, i64 vectors, bool kAdd>
void tile(const AttentionProduct& g, const float* a, float* c) {
  const i64 row = g.a_row, step = g.a_step, c_row = g.c_row;
  const float* b = g.b;
  __m512 s0[mr], s1[mr];
#pragma GCC unroll 12
  for (i64 i = 0; i < mr; ++i) {
    s0[i] = kAdd ? _mm512_loadu_ps(c + i * c_row) : _mm512_setzero_ps();
    if (vectors == 2) s1[i] = kAdd ? _mm512_loadu_ps(c + i * c_row + lanes) : _mm512_setzero_ps();
  }
  // Four pointers reach all rows with the addressing modes that there are.
  const float* p[4] = {a, a + 3 * row, a + 6 * row, a + 9 * row};
  for (i64 k = 0; k < g.k; ++k, b += g.b_row) {
    const __m512bh b0 = as_pairs(_mm512_loadu_ps(b));
    const __m512bh b1 = vectors == 2 ? as_pairs(_mm512_loadu_ps(b + lanes)) : b0;
#pragma GCC unroll 12
    for (i64 i = 0; i < mr; ++i) {
      const __m512bh x = as_pairs(_mm512_set1_ps(p[i / 3][i % 3 * row]));
      s0[i] = _mm512_dpbf16_ps(s0[i], x, b0);
      if (vectors == 2) s1[i] = _mm512_dpbf16_ps(s1[i], x, b1);
    }
#pragma GCC unroll 4
    for (i64 i = 0; i < 4; ++i) p[i] += step;
  }
#pragma GCC unroll 12
  for (i64 i = 0; i < mr; ++i) {
    _mm512_storeu_ps(c + i * c_row, s0[i]);
    if (vectors == 2) _mm512_storeu_ps(c + i * c_row + lanes, s1[i]);
  }
}

using Tile = void (*)(const AttentionProduct&, const float* a, float* c);
template <i64 vectors, bool kAdd, size_t... kHeight>
Tile tile_of(i64 height, std::index_sequence<kHeight...>) {
  static constexpr Tile table[] = {tile<static_cast<i64>(kHeight) + 1, vectors, kAdd>...};
  return table[height - 1];
}
Tile find_tile(i64 height, i64 vectors, bool add) {
  constexpr auto heights = std::make_index_sequence<max_mr>();
  if (vectors == 1)
    return add ? tile_of<1, true>(height, heights) : tile_of<1, false>(height, heights);
  return add ? tile_of<2, true>(height, heights) : tile_of<2, false>(height, heights);
}

void product(const AttentionProduct& g) {
  const i64 tiles = ceil_div(g.rows, max_mr);
  for (i64 t = 0; t < tiles; ++t) {  // as equal as can be
    const i64 from = g.rows * t / tiles, height = g.rows * (t + 1) / tiles - from;
    find_tile(height, g.vectors, g.add)(g, g.a + from * g.a_row, g.c + from * g.c_row);
  }
}

void neighbours(const float* from, i64 row, i64 n, i64 depth, float* to, i64 to_row) {
  if (row == depth && depth == 2 * to_row) return pack_neighbours(from, n * depth, to);
  for (i64 i = 0; i < n; ++i, from += row, to += to_row) pack_neighbours(from, depth, to);
}

void rows(const float* from, i64 row, i64 n, i64 depth, float* to, i64 width) {
  for (i64 i = 0; i < n; i += 2, from += 2 * row, to += width) {
    if (i + 1 < n)
      pack_two(from, from + row, depth, to);
    else
      pack_one(from, false, depth, to);
    std::fill(to + depth, to + width, 0.0F);
  }
}

void turned(const float* from, i64 row, i64 n, i64 depth, float* to) {
  pack_along(from, row, n, depth, to, 2 * lanes);
}

constexpr AttentionPairs all = {product, neighbours, rows, turned};

}  // namespace
}  // namespace goneuron::cpu
GONEURON_PAIRS_END
#endif

namespace goneuron::cpu {

const AttentionPairs* attention_pairs() {
#if defined(__x86_64__)
  if (bf16_products() == Bf16::pairs) return &all;
#endif
  return nullptr;
}

}  // namespace goneuron::cpu
