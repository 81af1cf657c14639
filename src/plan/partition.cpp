#include "plan/partition.h"

#include "plan/backend.h"

namespace goneuron {

Partition cut(const Shape& shape, int axis, i64 tiles) {
  if (tiles == 1) return whole();
  Partition part{1, shape[axis], tiles};
  for (int i = 0; i < axis; ++i) part.outer *= shape[i];
  // Even cuts fall on the same addresses whatever a unit is called.
  if (part.units % tiles == 0) part.units = tiles;
  return part;
}

Scheme single_tile(const Node& node) {
  Scheme scheme;
  scheme.in.resize(node.inputs.size());
  scheme.out.resize(node.outputs.size());
  return scheme;
}

Scheme by_rows(const Graph& graph, const Node& node, i64 tiles, unsigned rows_mask) {
  Scheme scheme = single_tile(node);
  scheme.name = "rows";
  scheme.tiles = tiles;
  scheme.merges = true;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (rows_mask >> i & 1)
      scheme.in[i].part = cut(graph.in_shape(node, static_cast<int>(i)), 0, tiles);
    else
      scheme.in[i].all = true;
  }
  for (size_t i = 0; i < node.outputs.size(); ++i)
    scheme.out[i].part = cut(graph.out_shape(node, static_cast<int>(i)), 0, tiles);
  return scheme;
}

}  // namespace goneuron
