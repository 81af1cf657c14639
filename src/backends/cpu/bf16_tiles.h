// Matrices of bf16 in the registers of AMX, and operands packed for them. Used by products and
// convolutions where the processor has them (bf16_products.h).
//
// A register is a tile of 16 rows of 64 bytes. One of A has words of two neighbours of the depth,
// [16 rows, 16 words]; one of B, words of two neighbouring rows, [16 words, 16 columns]; sums are
// [16, 16] floats. An instruction (TDPBF16PS) adds the products of 32 steps of the depth.
//
// Operands of bf16 are rounded, and have one part. A float is the sum of three numbers of bf16,
// exactly: the leading eight of its 24 bits, the next, and the rest (AMX takes parts below 2^-126
// for 0).
#pragma once

#include "backends/cpu/bf16_pairs.h"

#if defined(__x86_64__)
#define GONEURON_TILES_BEGIN \
  HWY_PUSH_ATTRIBUTES("fma,avx512f,avx512vl,avx512dq,avx512bw,avx512bf16,amx-tile,amx-bf16")
#define GONEURON_TILES_END HWY_POP_ATTRIBUTES

GONEURON_TILES_BEGIN
namespace goneuron::cpu::bf16 {

/// Rows of a tile, and words in each; what an instruction takes of the depth.
constexpr i64 tile_rows = 16, tile_words = 16, tile_depth = 2 * tile_words;

/// All eight registers as whole tiles, while one lives. What is not released is saved whenever the
/// thread is switched.
class TileRegisters {
 public:
  TileRegisters() {
    struct alignas(64) Config {  // Intel's manual, "TILE Configuration"
      std::uint8_t palette = 1, start = 0, reserved[14] = {};
      std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    };
    static constexpr Config whole;
    asm volatile("ldtilecfg %0" ::"m"(whole));
  }
  ~TileRegisters() { asm volatile("tilerelease"); }
  TileRegisters(const TileRegisters&) = delete;
  TileRegisters& operator=(const TileRegisters&) = delete;
};

// The compilers' own forms of these take no template's argument for a register, and GCC's load
// does not say that it reads memory.
template <int kTile>
[[gnu::always_inline]] inline void tile_zero() {
  asm volatile("tilezero %%tmm%c0" ::"i"(kTile));
}
template <int kTile>
[[gnu::always_inline]] inline void tile_load(const float* from, i64 row_bytes) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(row_bytes), "i"(kTile) : "memory");
}
template <int kTile>
[[gnu::always_inline]] inline void tile_store(float* to, i64 row_bytes) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(row_bytes), "i"(kTile) : "memory");
}
template <int kSum, int kA, int kB>
[[gnu::always_inline]] inline void tile_multiply() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(kSum), "i"(kA), "i"(kB));
}

/// Sums of 16 rows, or 32, with 32 columns, in registers 0 to 3, row by row; those of A are 4 and
/// 5, of B 6 and 7. Rows lie `row` floats apart, where one is given. What is loaded is used as soon
/// as half of it is there.
template <bool kTwo>
struct TileSums {
  static constexpr i64 word_bytes = sizeof(float), tile_bytes = tile_words * word_bytes;
  static constexpr i64 b_tile = tile_words * lanes;  // of B one lies behind the other

  static void zero() {
    tile_zero<0>();
    tile_zero<1>();
    tile_zero<2>();
    tile_zero<3>();
  }
  /// A row of 0: the same one for all.
  static void load(const float* c, i64 row) {
    const i64 bytes = row * word_bytes;
    tile_load<0>(c, bytes);
    tile_load<1>(c + lanes, bytes);
    if constexpr (!kTwo) return;
    tile_load<2>(c + tile_rows * row, bytes);
    tile_load<3>(c + tile_rows * row + lanes, bytes);
  }
  static void store(float* c, i64 row) {
    const i64 bytes = row * word_bytes;
    tile_store<0>(c, bytes);
    tile_store<1>(c + lanes, bytes);
    if constexpr (!kTwo) return;
    tile_store<2>(c + tile_rows * row, bytes);
    tile_store<3>(c + tile_rows * row + lanes, bytes);
  }
  /// Adds the products with both operands, with the last B, or with the last A.
  static void add(const float* a, i64 row, const float* b) {
    tile_load<4>(a, row * word_bytes);
    if constexpr (kTwo) tile_load<5>(a + tile_rows * row, row * word_bytes);
    add_b(b);
  }
  static void add_a(const float* a, i64 row) {
    tile_load<4>(a, row * word_bytes);
    tile_multiply<0, 4, 6>();
    tile_multiply<1, 4, 7>();
    if constexpr (!kTwo) return;
    tile_load<5>(a + tile_rows * row, row * word_bytes);
    tile_multiply<2, 5, 6>();
    tile_multiply<3, 5, 7>();
  }
  static void add_b(const float* b) {
    tile_load<6>(b, tile_bytes);
    tile_multiply<0, 4, 6>();
    if constexpr (kTwo) tile_multiply<2, 5, 6>();
    tile_load<7>(b + b_tile, tile_bytes);
    tile_multiply<1, 4, 7>();
    if constexpr (kTwo) tile_multiply<3, 5, 7>();
  }
};

/// Words of floats, `kParts` vectors of them: of neighbours in order, 0 to 15 of lo and of hi; or
/// of (even[i], odd[i]).
template <i64 kParts>
struct Words;

template <>
struct Words<1> {
  static void along(__m512 lo, __m512 hi, __m512i* to) {
    to[0] = (__m512i)_mm512_cvtne2ps_pbh(hi, lo);
  }
  static void across(__m512 even, __m512 odd, __m512i* to) { to[0] = pairs(even, odd); }
};

template <>
struct Words<3> {
  static void along(__m512 lo, __m512 hi, __m512i* to) {
    alignas(64) static constexpr short high_halves[32] = {
        1,  3,  5,  7,  9,  11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31,
        33, 35, 37, 39, 41, 43, 45, 47, 49, 51, 53, 55, 57, 59, 61, 63};
    const __m512i order = _mm512_load_si512(high_halves);
#pragma GCC unroll 3
    for (int part = 0; part < 3; ++part) {
      to[part] = _mm512_permutex2var_epi16((__m512i)lo, order, (__m512i)hi);
      lo = rest(lo);
      hi = rest(hi);
    }
  }
  static void across(__m512 even, __m512 odd, __m512i* to) {
    constexpr int or_of_and = 0xF8;  // a | (b & c)
#pragma GCC unroll 3
    for (int part = 0; part < 3; ++part) {
      to[part] = _mm512_ternarylogic_epi32(_mm512_srli_epi32((__m512i)even, 16), (__m512i)odd,
                                           leading_bits(), or_of_and);
      even = rest(even);
      odd = rest(odd);
    }
  }

 private:
  static __m512i leading_bits() { return _mm512_set1_epi32(static_cast<int>(0xFFFF0000)); }
  /// What the leading bits leave.
  static __m512 rest(__m512 x) {
    return _mm512_sub_ps(x, (__m512)_mm512_and_si512((__m512i)x, leading_bits()));
  }
};

/// `height` rows of A, of which `rows` are there, over `depth` neighbours each, zeros elsewhere:
/// [depth / 32, kParts, height, 16 words].
template <i64 kParts>
void pack_rows_as_tiles(const float* from, i64 row, i64 rows, i64 depth, i64 height, float* to) {
  for (; depth > 0; depth -= tile_depth, from += tile_depth, to += kParts * height * tile_words) {
    const __mmask16 lo = first_lanes(depth), hi = first_lanes(depth - lanes);
    for (i64 i = 0; i < height; ++i) {
      __m512i words[kParts] = {};
      if (i < rows)
        Words<kParts>::along(_mm512_maskz_loadu_ps(lo, from + i * row),
                             _mm512_maskz_loadu_ps(hi, from + i * row + lanes), words);
#pragma GCC unroll 3
      for (i64 part = 0; part < kParts; ++part)
        _mm512_storeu_si512(to + (part * height + i) * tile_words, words[part]);
    }
  }
}

/// Sixteen vectors of words turned round, for each part: f(part, p, words of all sixteen).
template <i64 kParts, class F>
[[gnu::always_inline]] inline void turn_words(__m512i (&words)[kParts][tile_words], const F& f) {
  for (i64 part = 0; part < kParts; ++part) {
    transpose(words[part]);
#pragma GCC unroll 16
    for (i64 p = 0; p < tile_words; ++p) f(part, p, words[part][p]);
  }
}

/// The same of an A that is stored by its columns, `col` apart.
template <i64 kParts>
void pack_columns_as_tiles(const float* from, i64 col, i64 rows, i64 depth, i64 height, float* to) {
  for (; depth > 0;
       depth -= tile_depth, from += tile_depth * col, to += kParts * height * tile_words)
    for (i64 i = 0; i < height; i += tile_rows) {
      const __mmask16 here = first_lanes(rows - i);
      __m512i words[kParts][tile_words];
      for (i64 p = 0; p < tile_words; ++p) {
        const float* at = from + 2 * p * col + i;
        const __mmask16 even = 2 * p < depth ? here : 0, odd = 2 * p + 1 < depth ? here : 0;
        __m512i some[kParts];
        Words<kParts>::across(_mm512_maskz_loadu_ps(even, at), _mm512_maskz_loadu_ps(odd, at + col),
                              some);
#pragma GCC unroll 3
        for (i64 part = 0; part < kParts; ++part) words[part][p] = some[part];
      }
      turn_words(words, [&](i64 part, i64 r, __m512i row) {
        _mm512_storeu_si512(to + (part * height + i + r) * tile_words, row);
      });
    }
}

/// A panel of 32 columns of B, of which `cols` are there: [depth / 32, kParts, two tiles of [16
/// words, 16 columns]]. Rows of B are `row` apart, columns one behind the other.
template <i64 kParts>
void pack_across_as_tiles(const float* from, i64 row, i64 cols, i64 depth, float* to) {
  constexpr i64 tile_floats = tile_words * lanes, part_floats = 2 * tile_floats;
  const __mmask16 here[2] = {first_lanes(cols), first_lanes(cols - lanes)};
  for (; depth > 0; depth -= tile_depth, from += tile_depth * row, to += kParts * part_floats)
    for (i64 p = 0; p < tile_words; ++p) {
      const float* at = from + 2 * p * row;
#pragma GCC unroll 2
      for (i64 half = 0; half < 2; ++half) {
        const __mmask16 even = 2 * p < depth ? here[half] : 0,
                        odd = 2 * p + 1 < depth ? here[half] : 0;
        __m512i words[kParts];
        Words<kParts>::across(_mm512_maskz_loadu_ps(even, at + half * lanes),
                              _mm512_maskz_loadu_ps(odd, at + row + half * lanes), words);
#pragma GCC unroll 3
        for (i64 part = 0; part < kParts; ++part)
          _mm512_storeu_si512(to + part * part_floats + half * tile_floats + p * lanes,
                              words[part]);
      }
    }
}

/// The same of a B that is stored by its columns, `col` apart.
template <i64 kParts>
void pack_along_as_tiles(const float* from, i64 col, i64 cols, i64 depth, float* to) {
  constexpr i64 width = 2 * lanes, part_floats = tile_words * width;
  for (; depth > 0; depth -= tile_depth, from += tile_depth, to += kParts * part_floats) {
    const __mmask16 lo = first_lanes(depth), hi = first_lanes(depth - lanes);
    for (i64 j = 0; j < width; j += lanes) {
      __m512i words[kParts][tile_words];
      for (i64 i = 0; i < lanes; ++i) {
        const bool there = j + i < cols;
        const float* at = from + (j + i) * col;
        __m512i some[kParts];
        Words<kParts>::along(_mm512_maskz_loadu_ps(there ? lo : 0, at),
                             _mm512_maskz_loadu_ps(there ? hi : 0, at + lanes), some);
#pragma GCC unroll 3
        for (i64 part = 0; part < kParts; ++part) words[part][i] = some[part];
      }
      turn_words(words, [&](i64 part, i64 p, __m512i row) {
        _mm512_storeu_si512(to + part * part_floats + j * tile_words + p * lanes, row);
      });
    }
  }
}

}  // namespace goneuron::cpu::bf16
GONEURON_TILES_END
#endif
