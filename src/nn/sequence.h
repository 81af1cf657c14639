// The check that layers over time share.
#pragma once

#include "graph/layer_impl.h"

namespace goneuron {

/// ShapeError unless a sample of input 0 is [time, features]; gives the features.
i64 check_sequence(const LayerContext& context);

}  // namespace goneuron
