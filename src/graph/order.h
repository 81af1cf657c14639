// What must run before what: the producers of a node's inputs; for a node that mutates a variable
// also every other reader of that variable, and the loss. Used by sorting and by the scheduler.
#pragma once

#include "graph/graph.h"

namespace goneuron {

/// For each node, the nodes that must come before it, each once.
std::vector<std::vector<NodeId>> dependencies(const Graph& graph);

}  // namespace goneuron
