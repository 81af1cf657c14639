// The pass behind split_batch_norm: a relu behind a batch norm, or behind the sum of one with a
// short cut, becomes one pass over memory with it; so do their gradients, which make relu's mask
// again.
#pragma once

#include "graph/passes/fuse.h"

namespace goneuron {

void fuse_batch_norm(Graph& graph, const Supports& supports);

}  // namespace goneuron
