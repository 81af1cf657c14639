// What a register tile is told, in floats or in pairs of bf16.
#pragma once

#include "backends/cpu/ahead.h"

namespace goneuron::cpu {

/// c (+)= A B for one register tile, over `k` columns of a, (i, p) at a[i a_row + p a_step], and
/// a panel of b [k, nr], whose rows lie `b_row` apart: nr, where it is packed.
struct TileWork {
  const float* a = nullptr;
  i64 a_row = 0, a_step = 1;
  const float* b = nullptr;
  i64 b_row = 0;
  i64 k = 0;
  float* c = nullptr;
  i64 c_row = 0;
  bool add = false;
  float* packed = nullptr;     // where a tile that copies puts the panel, packed
  Fetches* fetches = nullptr;  // asked for meanwhile
};

/// Of the rows of A within a tile: floats from one row to the next, and from one step of the depth
/// to the next.
struct TileLayout {
  i64 row, step;
  bool by_rows;  // step is 1
};
using Micro = void (*)(const TileWork& work);

}  // namespace goneuron::cpu
