// The tiles of what follows a weight's gradient: updates, averages, sums over batches, sums of
// squares. Cut by the rows or columns of the weight, as the gradient's product is, so that a worker
// finds the tile that it has just computed in its cache.
#pragma once

#include <algorithm>

#include "backends/cpu/kernel.h"

namespace goneuron::cpu {

/// Single, by rows, by columns of input 0; inputs of another shape are read whole.
inline std::vector<Scheme> update_schemes(const Graph& graph, const Node& node) {
  std::vector<Scheme> all = {single_tile(node)};
  const Shape& shape = graph.in_shape(node, 0);
  for (int axis = 0; axis < std::min(shape.rank(), 2); ++axis)
    for (const i64 tiles : tile_counts(graph)) {
      if (shape[axis] < tiles || shape.elements() / tiles < 256) continue;
      Scheme scheme = single_tile(node);
      scheme.name = axis == 0 ? "rows" : "columns";
      scheme.tiles = tiles;
      scheme.merges = true;
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        scheme.in[i].all = !(graph.in_shape(node, static_cast<int>(i)) == shape);
        if (!scheme.in[i].all) scheme.in[i].part = cut(shape, axis, tiles);
      }
      for (auto& out : scheme.out) out.part = cut(shape, axis, tiles);
      all.push_back(scheme);
    }
  return all;
}

/// The memory of a range of tiles of input 0.
struct UpdateTiles {
  i64 outer, stride, unit, units, tiles;
  /// Calls row(offset, length) for its parts.
  template <class F>
  void each(i64 begin, i64 end, const F& row) const {
    const i64 from = tile_begin(units, tiles, begin) * unit,
              to = tile_begin(units, tiles, end) * unit;
    for (i64 o = 0; o < outer; ++o) row(o * stride + from, to - from);
  }
};

inline UpdateTiles update_tiles(const BoundNode& bound) {
  const Shape& shape = bound.in_shape(0);
  if (bound.scheme.tiles == 1) return {1, 0, shape.elements(), 1, 1};
  if (std::string_view(bound.scheme.name) == "rows")
    return {1, 0, shape.elements() / shape[0], shape[0], bound.scheme.tiles};
  return {shape[0], shape.elements() / shape[0], shape.elements() / shape[0] / shape[1], shape[1],
          bound.scheme.tiles};
}

}  // namespace goneuron::cpu
