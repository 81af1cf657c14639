// Words of two bf16, as the instruction that multiplies and adds pairs takes them (AVX512_BF16:
// VDPBF16PS), out of floats, rounded to nearest, ties to even. Used by products, convolutions and
// attention in bf16; includers look at bf16_products() first.
#pragma once

#if defined(__x86_64__)
#include <hwy/base.h>

#include <algorithm>
#if !defined(__clang__)  // GCC bug 105593: the intrinsics' own headers warn
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>

#include "core/checked_math.h"

// Highway has no target for this instruction in the version that we build with.
#define GONEURON_PAIRS_BEGIN \
  HWY_PUSH_ATTRIBUTES("fma,avx512f,avx512vl,avx512dq,avx512bw,avx512bf16")
#define GONEURON_PAIRS_END HWY_POP_ATTRIBUTES

GONEURON_PAIRS_BEGIN
namespace goneuron::cpu::bf16 {

constexpr i64 lanes = 16;

inline __m512bh as_pairs(__m512 bits) { return (__m512bh)bits; }

inline __mmask16 first_lanes(i64 count) {
  return static_cast<__mmask16>(count >= lanes ? 0xFFFF : (1U << std::max<i64>(count, 0)) - 1);
}

/// Words of (first[i], second[i]).
inline __m512i pairs(__m512 first, __m512 second) {
  // In order: first 0..15, second 0..15; then both halves are interleaved.
  const __m512i both = (__m512i)_mm512_cvtne2ps_pbh(second, first);
  alignas(64) static constexpr short order[32] = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                  21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                  11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  return _mm512_permutexvar_epi16(_mm512_load_si512(order), both);
}

/// Neighbours in words: (from[0], from[1]), ...; what an odd last one lacks is zero.
inline void pack_neighbours(const float* from, i64 floats, float* to) {
  i64 j = 0;
  for (; j + 2 * lanes <= floats; j += 2 * lanes)
    _mm512_storeu_si512(to + j / 2, (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(from + j + lanes),
                                                                 _mm512_loadu_ps(from + j)));
  if (j == floats) return;
  const __m512 lo = _mm512_maskz_loadu_ps(first_lanes(floats - j), from + j),
               hi = _mm512_maskz_loadu_ps(first_lanes(floats - j - lanes), from + j + lanes);
  _mm512_mask_storeu_epi32(to + j / 2, first_lanes((floats - j + 1) / 2),
                           (__m512i)_mm512_cvtne2ps_pbh(hi, lo));
}

/// Words (first[j], second[j]).
inline void pack_two(const float* first, const float* second, i64 count, float* to) {
  i64 j = 0;
  for (; j + lanes <= count; j += lanes)
    _mm512_storeu_si512(to + j, pairs(_mm512_loadu_ps(first + j), _mm512_loadu_ps(second + j)));
  if (j == count) return;
  const __mmask16 here = first_lanes(count - j);
  _mm512_mask_storeu_epi32(
      to + j, here,
      pairs(_mm512_maskz_loadu_ps(here, first + j), _mm512_maskz_loadu_ps(here, second + j)));
}

/// Words (first[j], 0), or (0, first[j]).
inline void pack_one(const float* from, bool second, i64 count, float* to) {
  const __m512 zero = _mm512_setzero_ps();
  for (i64 j = 0; j < count; j += lanes) {
    const __mmask16 here = first_lanes(count - j);
    const __m512 x = _mm512_maskz_loadu_ps(here, from + j);
    _mm512_mask_storeu_epi32(to + j, here, second ? pairs(zero, x) : pairs(x, zero));
  }
}

/// to[s * width + j] = (from[2 s * row + j], from[(2 s + 1) * row + j]) for j < count, zeros up to
/// `width`, 32 at most; `depth` rows are there, what is missing of a pair is zero.
inline void pack_across(const float* from, i64 row, i64 count, i64 depth, float* to, i64 width) {
  const bool two = width > lanes;
  const __mmask16 here0 = first_lanes(count), all0 = first_lanes(width),
                  here1 = first_lanes(count - lanes), all1 = first_lanes(width - lanes);
  const __m512 zero = _mm512_setzero_ps();
  for (i64 p = 0; p < depth; p += 2, to += width, from += 2 * row) {
    const bool pair = p + 1 < depth;
    const __m512 a = _mm512_maskz_loadu_ps(here0, from);
    const __m512 b = pair ? _mm512_maskz_loadu_ps(here0, from + row) : zero;
    _mm512_mask_storeu_epi32(to, all0, pairs(a, b));
    if (!two) continue;
    const __m512 c = _mm512_maskz_loadu_ps(here1, from + lanes);
    const __m512 d = pair ? _mm512_maskz_loadu_ps(here1, from + row + lanes) : zero;
    _mm512_mask_storeu_epi32(to + lanes, all1, pairs(c, d));
  }
}

/// Transposes 16 x 16 words.
inline void transpose(__m512i r[16]) {
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
inline void pack_along(const float* from, i64 row, i64 count, i64 depth, float* to, i64 width) {
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

}  // namespace goneuron::cpu::bf16
GONEURON_PAIRS_END
#endif
