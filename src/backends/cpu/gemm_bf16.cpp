// Products of bf16: operands are rounded while they are packed, two neighbours of the depth in each
// 32-bit word, and an instruction multiplies and adds both into a float (AVX512_BF16: VDPBF16PS).
#include <algorithm>
#include <cstring>
#include <utility>

#include "backends/cpu/bf16_pairs.h"
#include "backends/cpu/gemm.h"

#if defined(__x86_64__)
GONEURON_PAIRS_BEGIN
namespace goneuron::cpu {
namespace {
using namespace bf16;

/// c (+)= A B for one register tile, over `depth` pairs of packed panels a [depth, mr] and
/// b [depth, 32].
template <i64 mr, bool kAdd>
void micro(const float* a, const float* b, i64 depth, float* c, i64 c_row) {
  __m512 s0[mr], s1[mr];
#pragma GCC unroll 12
  for (i64 i = 0; i < mr; ++i) {
    s0[i] = kAdd ? _mm512_loadu_ps(c + i * c_row) : _mm512_setzero_ps();
    s1[i] = kAdd ? _mm512_loadu_ps(c + i * c_row + lanes) : _mm512_setzero_ps();
  }
  for (i64 p = 0; p < depth; ++p) {
    const __m512bh b0 = as_pairs(_mm512_load_ps(b)), b1 = as_pairs(_mm512_load_ps(b + lanes));
#pragma GCC unroll 12
    for (i64 i = 0; i < mr; ++i) {
      const __m512bh x = as_pairs(_mm512_set1_ps(a[i]));
      s0[i] = _mm512_dpbf16_ps(s0[i], x, b0);
      s1[i] = _mm512_dpbf16_ps(s1[i], x, b1);
    }
    a += mr;
    b += 2 * lanes;
  }
#pragma GCC unroll 12
  for (i64 i = 0; i < mr; ++i) {
    _mm512_storeu_ps(c + i * c_row, s0[i]);
    _mm512_storeu_ps(c + i * c_row + lanes, s1[i]);
  }
}

using Micro = void (*)(const float* a, const float* b, i64 depth, float* c, i64 c_row);
template <bool kAdd, size_t... kHeight>
Micro micro_of(i64 height, std::index_sequence<kHeight...>) {
  static constexpr Micro table[] = {micro<static_cast<i64>(kHeight) + 1, kAdd>...};
  return table[height - 1];
}

struct Pairs {
  static constexpr i64 max_mr = 12, nr = 2 * lanes, kc = 288, mc = 480;

  static i64 steps(i64 k) { return (k + 1) / 2; }

  /// Packs `steps` pairs of the depth from pair `p` on, of `count` rows of A or columns of B.
  static void pack(const float* x, i64 across, i64 along, i64 k, i64 p, i64 steps, i64 count,
                   i64 width, float* to) {
    const i64 depth = std::min(2 * steps, k - 2 * p);
    if (along == 1)
      pack_along(x + 2 * p, across, count, depth, to, width);
    else
      pack_across(x + 2 * p * along, along, count, depth, to, width);
  }
  static void pack_a(const Gemm& g, i64 row, i64 rows, i64 p, i64 steps, i64 mr, float* to) {
    pack(g.a + row * g.a_row, g.a_row, g.a_col, g.k, p, steps, rows, mr, to);
  }
  static void pack_b(const Gemm& g, i64 p, i64 steps, i64 col, i64 cols, float* to) {
    pack(g.b + col * g.b_col, g.b_col, g.b_row, g.k, p, steps, cols, nr, to);
  }
  static Micro tile(i64 height, bool add) {
    return add ? micro_of<true>(height, std::make_index_sequence<max_mr>())
               : micro_of<false>(height, std::make_index_sequence<max_mr>());
  }
};

#include "backends/cpu/gemm_blocks-inl.h"

void gemm_pairs(const Gemm& g, void* scratch) { wide<Pairs>(g, scratch); }

}  // namespace
}  // namespace goneuron::cpu
GONEURON_PAIRS_END
#endif

namespace goneuron::cpu {

/// gemm.cpp: for processors without the instruction.
GemmKernel gemm_rounded_kernel();

GemmKernel gemm_bf16_kernel() {
#if defined(__x86_64__)
  if (bf16::has_pairs()) return gemm_pairs;
#endif
  return gemm_rounded_kernel();
}

}  // namespace goneuron::cpu
