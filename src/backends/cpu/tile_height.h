// How high register tiles are. Used by the loops of products, of convolutions and of Winograd's.
#pragma once

#include "core/checked_math.h"

namespace goneuron::cpu {

/// For `rows` rows, at most `most` a tile: as many tiles as needed, as equal as can be.
inline i64 tile_height(i64 rows, i64 most) {
  const i64 tiles = ceil_div(rows, most);
  return tiles == 0 ? 1 : ceil_div(rows, tiles);
}

}  // namespace goneuron::cpu
