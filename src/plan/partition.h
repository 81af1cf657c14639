// Partition: how the tiles of a step share a value. A tile owns a contiguous range of `units`; a
// unit repeats at `outer` places in memory (all of [batch, rows, ...] cut by image rows: outer =
// batch, units = rows). Two steps with equal partitions of a value need no barrier between them:
// each worker meets only its own part.
#pragma once

#include "goneuron/shape.h"

namespace goneuron {

struct Partition {
  i64 outer = 1;
  i64 units = 1;
  i64 tiles = 1;
  friend bool operator==(const Partition&, const Partition&) = default;
};

/// `shape` cut along `axis` into `tiles` even ranges. Cuts that give the same memory ranges compare
/// equal, also through a reshape.
Partition cut(const Shape& shape, int axis, i64 tiles);
/// One tile has it all.
inline Partition whole() { return {}; }

/// First unit of tile `tile` when `units` are shared among `tiles`.
inline i64 tile_begin(i64 units, i64 tiles, i64 tile) { return units * tile / tiles; }

}  // namespace goneuron
