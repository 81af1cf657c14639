// A copy of a sub-graph with other symbols in the place of some: how a model is called as a layer.
#pragma once

#include "graph/expr.h"

namespace goneuron {

/// `outputs` computed from `replacements` instead of `inputs`, one for each. Variables are shared;
/// calls keep their layers, state updates, losses and metrics.
std::vector<Symbol> substitute(const std::vector<Symbol>& outputs,
                               const std::vector<Symbol>& inputs,
                               const std::vector<Symbol>& replacements);

}  // namespace goneuron
