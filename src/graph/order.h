// What must run before what: the producers of a node's inputs; for a node that mutates a variable
// also every other reader of that variable, the loss, and what else may set the status. Used by
// sorting and by the scheduler.
#pragma once

#include "graph/graph.h"

namespace goneuron {

/// For each node, the nodes that must come before it, each once.
std::vector<std::vector<NodeId>> dependencies(const Graph& graph);
/// For each node, whether one that may set the status needs it: it cannot wait for that one.
std::vector<bool> before_guards(const Graph& graph);

}  // namespace goneuron
