#include "backends/cpu/recurrent_kernel.h"

namespace goneuron::cpu {

std::vector<Scheme> sequence_schemes(const Graph& graph, const Node& node, const SequenceCut& how) {
  constexpr i64 least_rows = 16;
  std::vector<Scheme> all = {single_tile(node)};
  const i64 batch = graph.in_shape(node, 0)[0],
            units = graph.in_shape(node, static_cast<int>(how.weight))[0];
  for (const i64 tiles : tile_counts(graph))
    if (batch / tiles >= least_rows) all.push_back(by_rows(graph, node, tiles, ~how.whole));
  const i64 scratch = sequence_scratch(how.in, units, how.gates);
  for (Scheme& scheme : all) scheme.scratch = scratch;
  return all;
}

void set_sequence(const BoundNode& bound, size_t weight, Sequence& sequence) {
  const Shape& shape = bound.in_shape(static_cast<int>(weight));
  sequence.steps = bound.in_shape(0)[1];
  sequence.units = shape[0];
  sequence.reverse = bound.node.attrs.integer("reverse", 0) != 0;
  sequence.zero_masked = bound.node.attrs.integer("zero_masked", 0) != 0;
  sequence.w = bound.input(weight);
  sequence.tiles = sequence_tiles(bound.in_shape(0)[0], sequence.units);
}

float* output_if_read(const BoundNode& bound, size_t i) {
  if (i >= bound.out.size()) return nullptr;
  const ValueId id = bound.node.outputs[i];
  const auto has = [id](const std::vector<ValueId>& list) {
    return std::find(list.begin(), list.end(), id) != list.end();
  };
  const auto& nodes = bound.graph.nodes;
  const bool read =
      has(bound.graph.outputs) ||
      std::any_of(nodes.begin(), nodes.end(), [&](const Node& node) { return has(node.inputs); });
  return read ? bound.output(i) : nullptr;
}

}  // namespace goneuron::cpu
