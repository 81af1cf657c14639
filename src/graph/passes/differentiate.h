// The gradient pass: emits, for a scalar loss, the ops that compute its gradient by each of `wrt`.
// Gradients are ordinary symbols; used by compile() and by the gradient checks.
#pragma once

#include <vector>

#include "graph/passes/frozen_norms.h"

namespace goneuron {

/// One Symbol for each of `wrt`, of its shape; a null Symbol where the loss does not depend on it.
/// Throws GraphError when the only paths go through an op that has no gradient, naming that op and
/// its reason. The gradient of those in `frozen` is that of a batch norm by given statistics.
std::vector<Symbol> differentiate(const Symbol& loss, const std::vector<Symbol>& wrt,
                                  const FrozenNorms& frozen = {});

}  // namespace goneuron
