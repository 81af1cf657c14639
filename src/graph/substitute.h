// A copy of a sub-graph with one symbol in another's place: how a model, or a loaded layer, is called again.
#pragma once

#include "graph/expr.h"

namespace goneuron {

/// `output` computed from `replacement` instead of `input`. Variables are shared, calls keep their layers.
Symbol substitute(const Symbol& output, const Symbol& input, const Symbol& replacement);

}  // namespace goneuron
