// Products in bf16: marks every product of a graph, so that its kernel rounds what it multiplies.
// Weights, activations, sums, norms and losses stay floats. Used by plan_for() for models compiled
// with .precision = BF16.
#pragma once

#include "graph/graph.h"

namespace goneuron {

void use_bf16(Graph& graph);

}  // namespace goneuron
