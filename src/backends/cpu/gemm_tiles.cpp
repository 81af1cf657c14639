// Products by the tiles of AMX: four of them are the sums of 32 rows with 32 columns.
//
// Of floats, the products of six pairs of parts are added, which leaves out less than 2^-21 of each
// product of two floats (Henry, Tang and Heinecke 2019, "Leveraging the bfloat16 Artificial
// Intelligence Datatype For Higher-Precision Computations"). A sum is rounded six times for 32
// steps of the depth, where a chain of multiply-adds is rounded 32 times. An infinite operand gives
// NaN, for its other parts are infinity less infinity; parts below 2^-126 are 0.
#include <algorithm>
#include <cstring>

#include "backends/cpu/bf16_products.h"
#include "backends/cpu/bf16_tiles.h"
#include "backends/cpu/gemm.h"
#include "backends/cpu/gemm_tile.h"
#include "backends/cpu/row_tiles.h"

#if defined(__x86_64__)
GONEURON_TILES_BEGIN
namespace goneuron::cpu {
namespace {
using namespace bf16;

template <i64 kParts, bool kTwo>
void micro(const TileWork& t) {
  using Sums = TileSums<kTwo>;
  constexpr i64 row = tile_words, b_part = 2 * Sums::b_tile;
  const i64 a_part = row * t.a_step;  // floats from one part to the next
  t.add ? Sums::load(t.c, t.c_row) : Sums::zero();
  const float *a = t.a, *b = t.b;
  for (i64 left = t.k; left > 0; left -= kParts * tile_words) {
    static_assert(Fetches::steps == tile_words);
    (*t.fetches)();
    if constexpr (kParts == 1) {
      Sums::add(a, row, b);
    } else {  // each product has an operand of the one before
      Sums::add(a, row, b + 2 * b_part);
      Sums::add_b(b + b_part);
      (*t.fetches)();
      Sums::add_a(a + a_part, row);
      Sums::add_b(b);
      (*t.fetches)();
      Sums::add_a(a + 2 * a_part, row);
      Sums::add_a(a, row);
    }
    a += kParts * a_part;
    b += kParts * b_part;
  }
  Sums::store(t.c, t.c_row);
}

/// Its steps are words of a part: of every 32 of the depth, 16 for each part.
template <i64 kParts>
struct Amx {
  static constexpr i64 max_mr = 2 * tile_rows, nr = 2 * lanes, unit = kParts * tile_words;
  // Operands of floats are read half as often, so that blocks may be deeper than the first-level
  // cache holds, and sums are stored and loaded less often.
  static constexpr i64 most_steps = kParts == 1 ? gemm_depth : gemm_split_depth,
                       most_rows = kParts == 1 ? gemm_rows : gemm_split_rows;

  static i64 steps(i64 k) { return ceil_div(k, tile_depth) * unit; }
  static i64 height(i64 m) { return m > tile_rows ? max_mr : tile_rows; }

  static bool in_place(const Gemm&) { return false; }
  static bool tile_packs(const Gemm&) { return false; }
  static TileLayout layout(const Gemm&, i64 /*steps*/, i64 mr) { return {tile_words, mr, false}; }

  static void pack_a(const Gemm& g, i64 row, i64 rows, i64 step, i64 steps, i64 mr, float* to) {
    const i64 p = depth_of(step), depth = std::min(depth_of(steps), g.k - p);
    const float* from = g.a + row * g.a_row + p * g.a_col;
    if (g.by_rows())
      pack_rows_as_tiles<kParts>(from, g.a_row, rows, depth, mr, to);
    else
      pack_columns_as_tiles<kParts>(from, g.a_col, rows, depth, mr, to);
  }
  static void pack_b(const Gemm& g, i64 step, i64 steps, i64 col, i64 cols, float* to) {
    const i64 p = depth_of(step), depth = std::min(depth_of(steps), g.k - p);
    const float* from = g.b + col * g.b_col + p * g.b_row;
    if (g.b_col == 1)
      pack_across_as_tiles<kParts>(from, g.b_row, cols, depth, to);
    else
      pack_along_as_tiles<kParts>(from, g.b_col, cols, depth, to);
  }
  static Micro tile(i64 height, bool, bool) {
    return height > tile_rows ? micro<kParts, true> : micro<kParts, false>;
  }

 private:
  static i64 depth_of(i64 steps) { return steps / unit * tile_depth; }
};

#include "backends/cpu/gemm_blocks-inl.h"

// Of RowTiles: rows by 32, the last 16 or fewer of them by 16.
constexpr i64 side = row_tiles_side;
static_assert(side == Amx<3>::max_mr && side == Amx<3>::nr);

void pack_matrix(const float* b, i64 row, i64 col, i64 depth, i64 columns, i64 first, i64 steps,
                 float* to) {
  for (i64 j = 0; j < columns; j += side, b += side * col, to += side * steps) {
    const i64 some = std::min(side, columns - j);
    if (col == 1)
      pack_across_as_tiles<3>(b, row, some, depth, to + first * side);
    else
      pack_along_as_tiles<3>(b, col, some, depth, to + first * side);
  }
}

void pack_rows(const float* a, i64 row, i64 rows, i64 depth, i64 first, i64 steps, float* to) {
  for (i64 i = 0; i < rows; i += side, a += side * row, to += side * steps) {
    const i64 some = std::min(side, rows - i), height = Amx<3>::height(some);
    pack_rows_as_tiles<3>(a, row, some, depth, height, to + first * height);
  }
}

void multiply(const float* a, const float* b, i64 rows, i64 columns, i64 steps, float* c, i64 c_row,
              bool add) {
  const TileRegisters registers;
  Fetches none;
  for (i64 j = 0; j < columns; j += side)
    for (i64 i = 0; i < rows; i += side) {
      const i64 height = Amx<3>::height(std::min(side, rows - i));
      TileWork work;
      work.a = a + i * steps;
      work.a_step = height;
      work.b = b + j * steps;
      work.k = steps;
      work.c = c + i * c_row + j;
      work.c_row = c_row;
      work.add = add;
      work.fetches = &none;
      Amx<3>::tile(height, false, false)(work);
    }
}

constexpr RowTiles all = {pack_matrix, pack_rows, multiply};

}  // namespace

void gemm_bf16_tiles(const Gemm& g, void* scratch) {
  const TileRegisters registers;
  wide<Amx<1>>(g, scratch);
}

void gemm_float_tiles(const Gemm& g, void* scratch) {
  const TileRegisters registers;
  wide<Amx<3>>(g, scratch);
}

}  // namespace goneuron::cpu
GONEURON_TILES_END
#endif

namespace goneuron::cpu {

const RowTiles* row_tiles() {
#if defined(__x86_64__)
  if (bf16_products() == Bf16::tiles) return &all;
#endif
  return nullptr;
}

}  // namespace goneuron::cpu
