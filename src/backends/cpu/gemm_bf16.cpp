// Products of bf16: operands are rounded while they are packed, two neighbours of the depth in each
// 32-bit word, and an instruction multiplies and adds both into a float (AVX512_BF16: VDPBF16PS).
#include <algorithm>
#include <cstring>
#include <utility>

#include "backends/cpu/gemm.h"

#if defined(__x86_64__)
#include <hwy/base.h>
#if !defined(__clang__)  // GCC bug 105593: the intrinsics' own headers warn
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>

// Highway has no target for this instruction in the version that we build with.
HWY_PUSH_ATTRIBUTES("fma,avx512f,avx512vl,avx512dq,avx512bw,avx512bf16")
namespace goneuron::cpu {
namespace {

constexpr i64 lanes = 16;

__m512bh as_pairs(__m512 bits) { return (__m512bh)bits; }

/// Words of (first[i], second[i]), rounded to nearest, ties to even.
__m512i pairs(__m512 first, __m512 second) {
  // In order: first 0..15, second 0..15; then both halves are interleaved.
  const __m512i both = (__m512i)_mm512_cvtne2ps_pbh(second, first);
  static constexpr short order[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                      8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  return _mm512_permutexvar_epi16(_mm512_loadu_si512(order), both);
}

__mmask16 first_lanes(i64 count) {
  return static_cast<__mmask16>(count >= lanes ? 0xFFFF : (1U << std::max<i64>(count, 0)) - 1);
}

/// to[s * width + j] = (from[2 s * row + j], from[(2 s + 1) * row + j]) for j < count, zeros up to
/// `width`; `depth` rows are there, what is missing of a pair is zero.
void pack_across(const float* from, i64 row, i64 count, i64 depth, float* to, i64 width) {
  for (i64 p = 0; p < depth; p += 2, to += width)
    for (i64 j = 0; j < width; j += lanes) {
      const __mmask16 here = first_lanes(count - j), all = first_lanes(width - j);
      const float* x = from + p * row + j;
      const __m512 a = _mm512_maskz_loadu_ps(here, x);
      const __m512 b = p + 1 < depth ? _mm512_maskz_loadu_ps(here, x + row) : _mm512_setzero_ps();
      _mm512_mask_storeu_epi32(to + j, all, pairs(a, b));
    }
}

/// Transposes 16 x 16 words.
void transpose(__m512i r[16]) {
  __m512i t[16];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4)
#pragma GCC unroll 2
    for (int k = 0; k < 2; ++k) {
      r[i + 2 * k] = _mm512_unpacklo_epi64(t[i + k], t[i + 2 + k]);
      r[i + 2 * k + 1] = _mm512_unpackhi_epi64(t[i + k], t[i + 2 + k]);
    }
    // Row i now has, in its four quarters, columns i % 4, + 4, + 8, + 12 of rows 4 (i / 4) ..
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    const __m512i lo0 = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88),
                  hi0 = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xDD),
                  lo1 = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88),
                  hi1 = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xDD);
    t[i] = _mm512_shuffle_i32x4(lo0, lo1, 0x88);
    t[i + 4] = _mm512_shuffle_i32x4(hi0, hi1, 0x88);
    t[i + 8] = _mm512_shuffle_i32x4(lo0, lo1, 0xDD);
    t[i + 12] = _mm512_shuffle_i32x4(hi0, hi1, 0xDD);
  }
  std::copy(t, t + 16, r);
}

/// to[s * width + j] = (from[j * row + 2 s], from[j * row + 2 s + 1]), as above.
void pack_along(const float* from, i64 row, i64 count, i64 depth, float* to, i64 width) {
  const i64 steps = (depth + 1) / 2;
  for (i64 j = 0; j < width; j += lanes) {
    const __mmask16 all = first_lanes(width - j);
    for (i64 s = 0; s < steps; s += lanes) {
      __m512i words[lanes];
#pragma GCC unroll 16
      for (i64 i = 0; i < lanes; ++i) {
        const float* x = from + (j + i) * row + 2 * s;
        const i64 left = j + i < count ? depth - 2 * s : 0;
        words[i] = (__m512i)_mm512_cvtne2ps_pbh(
            _mm512_maskz_loadu_ps(first_lanes(left - lanes), x + lanes),
            _mm512_maskz_loadu_ps(first_lanes(left), x));
      }
      transpose(words);
      const i64 there = std::min(lanes, steps - s);
      for (i64 i = 0; i < there; ++i)
        _mm512_mask_storeu_epi32(to + (s + i) * width + j, all, words[i]);
    }
  }
}

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
HWY_POP_ATTRIBUTES
#endif

namespace goneuron::cpu {

/// gemm.cpp: for processors without the instruction.
GemmKernel gemm_rounded_kernel();

GemmKernel gemm_bf16_kernel() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw")) return gemm_pairs;
#endif
  return gemm_rounded_kernel();
}

}  // namespace goneuron::cpu
