// Matrices of bf16 in the registers of AMX (TDPBF16PS), and operands packed for them. Used by
// products, convolutions and attention where bf16_products() says tiles.
//
// A tile has 16 rows of 64 bytes. One of A has words of two neighbours of the depth, [16 rows, 16
// words]; one of B [16 words, 16 columns], words of two neighbouring rows; sums [16, 16] floats.
#pragma once

#include "backends/cpu/bf16_pairs.h"

#if defined(__x86_64__)
#define GONEURON_TILES_BEGIN \
  HWY_PUSH_ATTRIBUTES(       \
      "fma,avx512f,avx512vl,avx512dq,avx512bw,avx512bf16,amx-tile,amx-int8,amx-bf16")
#define GONEURON_TILES_END HWY_POP_ATTRIBUTES

GONEURON_TILES_BEGIN
namespace goneuron::cpu::bf16 {

/// Rows of a tile, and words in each.
constexpr i64 tile_rows = 16, tile_words = 16;

/// All eight registers as whole tiles, while one lives. Signals and switches of threads keep them;
/// what is not released is saved with every switch.
class Tiles {
 public:
  Tiles() {
    struct alignas(64) Config {
      std::uint8_t palette = 1, start = 0, reserved[14] = {};
      std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    };
    static constexpr Config whole;
    _tile_loadconfig(&whole);
  }
  ~Tiles() { _tile_release(); }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;
};

/// Rows of A as tiles read them: [depth / 32, `height` rows, 16 words], zeros where rows or depth
/// end. `rows` of them, of `depth` neighbours each, are `row` apart.
inline void pack_rows_as_tiles(const float* from, i64 row, i64 rows, i64 depth, i64 height,
                               float* to) {
  constexpr i64 span = 2 * tile_words;
  for (; depth > 0; depth -= span, from += span) {
    const __mmask16 lo = first_lanes(depth), hi = first_lanes(depth - lanes);
    for (i64 i = 0; i < rows; ++i, to += tile_words)
      _mm512_storeu_si512(
          to, (__m512i)_mm512_cvtne2ps_pbh(_mm512_maskz_loadu_ps(hi, from + i * row + lanes),
                                           _mm512_maskz_loadu_ps(lo, from + i * row)));
    for (i64 i = rows; i < height; ++i, to += tile_words)
      _mm512_storeu_si512(to, _mm512_setzero_si512());
  }
}

/// The same of columns: neighbours of the depth are `col` apart, rows one behind the other.
inline void pack_columns_as_tiles(const float* from, i64 col, i64 rows, i64 depth, i64 height,
                                  float* to) {
  constexpr i64 span = 2 * tile_words;
  for (; depth > 0; depth -= span, from += span * col, to += height * tile_words)
    for (i64 i = 0; i < height; i += tile_rows) {
      const __mmask16 here = first_lanes(rows - i);
      __m512i words[tile_words];
#pragma GCC unroll 16
      for (i64 p = 0; p < tile_words; ++p) {
        const __mmask16 even = 2 * p < depth ? here : 0, odd = 2 * p + 1 < depth ? here : 0;
        words[p] = pairs(_mm512_maskz_loadu_ps(even, from + 2 * p * col + i),
                         _mm512_maskz_loadu_ps(odd, from + (2 * p + 1) * col + i));
      }
      transpose(words);
#pragma GCC unroll 16
      for (i64 r = 0; r < tile_rows; ++r) _mm512_storeu_si512(to + (i + r) * tile_words, words[r]);
    }
}

}  // namespace goneuron::cpu::bf16
GONEURON_TILES_END
#endif
