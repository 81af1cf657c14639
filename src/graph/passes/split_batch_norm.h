// The batch norm pass: where a backend has no kernel for batch norm as a whole, it becomes means,
// variances and what is done with them, whose sums can be cut into tiles. Runs before the tiles
// pass.
#pragma once

#include "graph/passes/fuse.h"

namespace goneuron {

void split_batch_norm(Graph& graph, const Supports& supports);

}  // namespace goneuron
