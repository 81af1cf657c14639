// Products of pairs of bf16: operands are rounded while they are packed, two neighbours of the
// depth in each 32-bit word, and an instruction multiplies and adds both into a float (AVX512_BF16:
// VDPBF16PS).
#include <algorithm>
#include <cstring>
#include <utility>

#include "backends/cpu/bf16_pairs.h"
#include "backends/cpu/bf16_products.h"
#include "backends/cpu/gemm.h"
#include "backends/cpu/gemm_tile.h"

#if defined(__x86_64__)
GONEURON_PAIRS_BEGIN
namespace goneuron::cpu {
namespace {
using namespace bf16;

/// The steps of its depth are pairs.
template <i64 mr>
void micro(const TileWork& t) {
  __m512 s0[mr], s1[mr];
  if (t.add) {
#pragma GCC unroll 12
    for (i64 i = 0; i < mr; ++i) {
      s0[i] = _mm512_loadu_ps(t.c + i * t.c_row);
      s1[i] = _mm512_loadu_ps(t.c + i * t.c_row + lanes);
    }
  } else {
#pragma GCC unroll 12
    for (i64 i = 0; i < mr; ++i) s0[i] = s1[i] = _mm512_setzero_ps();
  }
  const i64 a_row = t.a_row;
  // Four pointers reach all rows with the addressing modes that there are.
  const float* x[4] = {t.a, t.a + 3 * a_row, t.a + 6 * a_row, t.a + 9 * a_row};
  const float* b = t.b;
  for (i64 left = t.k; left > 0; left -= Fetches::steps) {
    if (t.fetches) (*t.fetches)();
    for (i64 p = std::min(left, Fetches::steps); p > 0; --p) {
      const __m512bh b0 = as_pairs(_mm512_load_ps(b)), b1 = as_pairs(_mm512_load_ps(b + lanes));
#pragma GCC unroll 12
      for (i64 i = 0; i < mr; ++i) {
        const __m512bh y = as_pairs(_mm512_set1_ps(x[i / 3][i % 3 * a_row]));
        s0[i] = _mm512_dpbf16_ps(s0[i], y, b0);
        s1[i] = _mm512_dpbf16_ps(s1[i], y, b1);
      }
#pragma GCC unroll 4
      for (i64 i = 0; i < 4; ++i) x[i] += t.a_step;
      b += t.b_row;
    }
  }
#pragma GCC unroll 12
  for (i64 i = 0; i < mr; ++i) {
    _mm512_storeu_ps(t.c + i * t.c_row, s0[i]);
    _mm512_storeu_ps(t.c + i * t.c_row + lanes, s1[i]);
  }
}

template <size_t... kHeight>
Micro micro_of(i64 height, std::index_sequence<kHeight...>) {
  static constexpr Micro table[] = {micro<static_cast<i64>(kHeight) + 1>...};
  return table[height - 1];
}

struct Pairs {
  static constexpr i64 max_mr = 12, nr = 2 * lanes, unit = 1, most_steps = gemm_depth,
                       most_rows = gemm_rows;

  static i64 steps(i64 k) { return (k + 1) / 2; }
  static i64 height(i64 m) { return tile_height(m, max_mr); }

  static bool in_place(const Gemm&) { return false; }
  static bool tile_packs(const Gemm&) { return false; }

  /// Rows of A as they lie, [mr, steps], or columns, [steps, mr].
  static TileLayout layout(const Gemm& g, i64 steps, i64 mr) {
    return g.by_rows() ? TileLayout{steps, 1, true} : TileLayout{1, mr, false};
  }
  static void pack_a(const Gemm& g, i64 row, i64 rows, i64 p, i64 steps, i64 mr, float* to) {
    const float* from = g.a + row * g.a_row + 2 * p * g.a_col;
    const i64 depth = std::min(2 * steps, g.k - 2 * p);
    if (!g.by_rows()) return pack_across(from, g.a_col, rows, depth, to, mr);
    for (i64 i = 0; i < rows; ++i, from += g.a_row, to += steps) pack_neighbours(from, depth, to);
    std::fill_n(to, (mr - rows) * steps, 0.0F);
  }
  static void pack_b(const Gemm& g, i64 p, i64 steps, i64 col, i64 cols, float* to) {
    const float* from = g.b + col * g.b_col + 2 * p * g.b_row;
    const i64 depth = std::min(2 * steps, g.k - 2 * p);
    if (g.b_row == 1)
      pack_along(from, g.b_col, cols, depth, to, nr);
    else
      pack_across(from, g.b_row, cols, depth, to, nr);
  }
  static Micro tile(i64 height, bool, bool) {
    return micro_of(height, std::make_index_sequence<max_mr>());
  }
};

#include "backends/cpu/gemm_blocks-inl.h"

void gemm_pairs(const Gemm& g, void* scratch) { wide<Pairs>(g, scratch); }

}  // namespace
}  // namespace goneuron::cpu
GONEURON_PAIRS_END
#endif

namespace goneuron::cpu {

/// gemm.cpp: for processors without the instructions, or with slow ones.
GemmKernel gemm_rounded_kernel();
/// gemm_tiles.cpp.
void gemm_bf16_tiles(const Gemm& gemm, void* scratch);

GemmKernel gemm_bf16_kernel() {
#if defined(__x86_64__)
  if (bf16_products() == Bf16::tiles) return gemm_bf16_tiles;
  if (bf16_products() == Bf16::pairs) return gemm_pairs;
#endif
  return gemm_rounded_kernel();
}

}  // namespace goneuron::cpu
