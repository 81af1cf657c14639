// Batch norms of frozen layers: in training, too, they normalise by the running statistics and
// leave them as they are, as Keras' do. Found once, when the gradients are made; read by the
// passes.
#pragma once

#include <unordered_set>
#include <vector>

#include "graph/expr.h"

namespace goneuron {

using FrozenNorms = std::unordered_set<const Expr*>;

/// Those that `outputs` depend on and whose layer does not learn now.
FrozenNorms frozen_norms(const std::vector<Symbol>& outputs);

}  // namespace goneuron
