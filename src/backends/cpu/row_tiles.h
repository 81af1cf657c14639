// Products of some rows with a matrix that is packed once for many of them, by the tiles of AMX
// (gemm_tiles.cpp): the steps of recurrent layers.
#pragma once

#include "core/checked_math.h"

namespace goneuron::cpu {

/// Rows and columns are worked on by so many; what a row or column takes packed, in floats.
constexpr i64 row_tiles_side = 32;
inline i64 row_tiles_steps(i64 depth) { return ceil_div(depth, 32) * 48; }

/// Operands may be packed piece by piece: `depth` of them from step `first` on, of `steps` in all.
struct RowTiles {
  /// (p, j) of the matrix at b[p * row + j * col], one of which is 1; to [columns rounded up,
  /// steps].
  void (*pack_matrix)(const float* b, i64 row, i64 col, i64 depth, i64 columns, i64 first,
                      i64 steps, float* to);
  /// Rows that are `row` apart; to [rows rounded up, steps].
  void (*pack_rows)(const float* a, i64 row, i64 rows, i64 depth, i64 first, i64 steps, float* to);
  /// c (+)= a b; writes whole sides of both.
  void (*multiply)(const float* a, const float* b, i64 rows, i64 columns, i64 steps, float* c,
                   i64 c_row, bool add);
};
/// Null where there are no tiles.
const RowTiles* row_tiles();

}  // namespace goneuron::cpu
