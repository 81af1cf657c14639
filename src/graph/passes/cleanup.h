// Drops nodes that nothing needs, and values that no node touches keep their number but get no
// memory. Runs after the passes that rewrite.
#pragma once

#include "graph/graph.h"

namespace goneuron {

/// Keeps what the outputs and the mutating nodes need, in an order that runs.
void drop_dead_nodes(Graph& graph);
/// Reorders the nodes so that each comes after the producers of its inputs, mutating nodes after
/// every other reader of their variable and after outputs[0] (the loss, on whose status they
/// depend).
void sort_nodes(Graph& graph);

}  // namespace goneuron
