// What the calls of layers leave beside a model's outputs: updates of state, losses and metrics.
// Used when a model is built, copied into another one, and when its training step is made.
#pragma once

#include <vector>

#include "graph/expr.h"

namespace goneuron {

/// The calls that made the nodes of `order` and those that they were made in, each once, in order.
std::vector<const LayerCall*> calls_of(const std::vector<const Expr*>& order);

/// The updates, losses and metrics of one call that are still there.
std::vector<Symbol> left_by(const LayerCall& call);

/// Every Expr of a model: what `outputs` need, then what the updates, losses and metrics of the
/// layers on the way need; inputs before users.
std::vector<const Expr*> model_order(const std::vector<Symbol>& outputs);

}  // namespace goneuron
