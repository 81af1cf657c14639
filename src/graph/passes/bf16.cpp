#include "graph/passes/bf16.h"

#include "graph/op_def.h"

namespace goneuron {

void use_bf16(Graph& graph) {
  i64 products = 0;
  for (Node& node : graph.nodes)
    // A layer that wrote 0 there needs its product in floats.
    if (node.op->bf16 && !node.attrs.has("bf16")) {
      node.attrs.set("bf16", i64{1});
      ++products;
    }
  graph.notes.push_back(std::to_string(products) + " products of bf16, with sums of floats");
}

}  // namespace goneuron
