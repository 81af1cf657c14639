// with_state: a recurrent layer's final state beside its output, from the nodes that its call made.
#include "core/message.h"
#include "graph/op_def.h"
#include "nn/recurrent.h"

namespace goneuron {

namespace {

/// Output `index` of all nodes: [batch, units], or [batch, n, units] of several.
Symbol stacked(const std::vector<Symbol>& nodes, int index) {
  if (nodes.size() == 1) return output_of(nodes[0], index);
  std::vector<Symbol> rows;
  for (const Symbol& node : nodes) {
    const Symbol state = output_of(node, index);
    rows.push_back(
        make("reshape", {state}, {{"shape", std::vector<i64>{-1, 1, state.shape()[-1]}}}));
  }
  return make("concat", rows, {{"axis", i64{1}}});
}

}  // namespace

RecurrentOutput with_state(const Layer& layer, const std::vector<Symbol>& inputs, Site site) {
  const Symbol output = layer(inputs, site);
  std::vector<Symbol> nodes;
  if (output.expr()->call)
    for (const Symbol node : output.expr()->call->results) nodes.push_back(node);
  if (nodes.empty())
    throw_graph({.where = place("with_state", site),
                 .what = layer.impl()->describe() + " has no state; expected an LSTM or a GRU",
                 .hint = "call the layer itself"});
  const bool lstm = std::string_view(nodes[0].expr()->op->name) == "lstm_sequence";
  return {output, stacked(nodes, 2), lstm ? stacked(nodes, 3) : Symbol{}};
}

RecurrentOutput with_state(const Layer& layer, const Symbol& x, Site site) {
  return with_state(layer, std::vector<Symbol>{x}, site);
}

}  // namespace goneuron
