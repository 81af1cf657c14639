// Products of bf16 by the tiles of AMX: four of them are the sums of 32 rows with 32 columns, and
// an instruction adds the products of 32 steps of the depth to one.
#include <algorithm>
#include <cstring>

#include "backends/cpu/bf16_tiles.h"
#include "backends/cpu/gemm.h"
#include "backends/cpu/gemm_tile.h"

#if defined(__x86_64__)
GONEURON_TILES_BEGIN
namespace goneuron::cpu {
namespace {
using namespace bf16;

/// 16 rows, or 32. Steps of its depth are pairs, of which an instruction takes 16.
template <bool kTwo>
void micro(const TileWork& t) {
  constexpr i64 bytes = sizeof(float);
  const i64 c_row = t.c_row * bytes, b_row = t.b_row * bytes, a_row = t.a_row * bytes;
  float* const below = t.c + tile_rows * t.c_row;
  if (t.add) {
    _tile_loadd(0, t.c, c_row);
    _tile_loadd(1, t.c + lanes, c_row);
    if (kTwo) {
      _tile_loadd(2, below, c_row);
      _tile_loadd(3, below + lanes, c_row);
    }
  } else {
    _tile_zero(0);
    _tile_zero(1);
    if (kTwo) {
      _tile_zero(2);
      _tile_zero(3);
    }
  }
  const float *a = t.a, *b = t.b;
  for (i64 left = t.k; left > 0; left -= tile_words) {
    static_assert(Fetches::steps == tile_words);
    (*t.fetches)();
    _tile_loadd(4, a, a_row);
    _tile_loadd(6, b, b_row);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, b + lanes, b_row);
    _tile_dpbf16ps(1, 4, 7);
    if (kTwo) {
      _tile_loadd(5, a + tile_rows * t.a_row, a_row);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
    a += tile_words * t.a_step;
    b += tile_words * t.b_row;
  }
  _tile_stored(0, t.c, c_row);
  _tile_stored(1, t.c + lanes, c_row);
  if (kTwo) {
    _tile_stored(2, below, c_row);
    _tile_stored(3, below + lanes, c_row);
  }
}

struct Amx {
  static constexpr i64 max_mr = 2 * tile_rows, nr = 2 * lanes, unit = tile_words;

  static i64 steps(i64 k) { return round_up(ceil_div(k, 2), unit); }
  static i64 height(i64 m) { return m > tile_rows ? max_mr : tile_rows; }

  static bool in_place(const Gemm&) { return false; }
  static bool tile_packs(const Gemm&) { return false; }
  static TileLayout layout(const Gemm&, i64 /*steps*/, i64 mr) { return {tile_words, mr, false}; }

  static void pack_a(const Gemm& g, i64 row, i64 rows, i64 p, i64 steps, i64 mr, float* to) {
    const float* from = g.a + row * g.a_row + 2 * p * g.a_col;
    const i64 depth = std::min(2 * steps, g.k - 2 * p);
    if (g.by_rows())
      pack_rows_as_tiles(from, g.a_row, rows, depth, mr, to);
    else
      pack_columns_as_tiles(from, g.a_col, rows, depth, mr, to);
  }
  static void pack_b(const Gemm& g, i64 p, i64 steps, i64 col, i64 cols, float* to) {
    const float* from = g.b + col * g.b_col + 2 * p * g.b_row;
    const i64 depth = std::min(2 * steps, g.k - 2 * p), there = ceil_div(depth, 2);
    if (g.b_row == 1)
      pack_along(from, g.b_col, cols, depth, to, nr);
    else
      pack_across(from, g.b_row, cols, depth, to, nr);
    std::fill_n(to + there * nr, (steps - there) * nr, 0.0F);
  }
  static Micro tile(i64 height, bool, bool) {
    return height > tile_rows ? micro<true> : micro<false>;
  }
};

#include "backends/cpu/gemm_blocks-inl.h"

}  // namespace

void gemm_by_tiles(const Gemm& g, void* scratch) {
  const Tiles tiles;
  wide<Amx>(g, scratch);
}

}  // namespace goneuron::cpu
GONEURON_TILES_END
#endif
