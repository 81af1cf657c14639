// What the norm layers share: their scale and shift, learned or constant, and the check of epsilon.
#pragma once

#include "graph/layer_impl.h"

namespace goneuron {

/// The last axis of the input; ShapeError where a sample has none.
i64 norm_features(const LayerContext& context);
/// "weight" [features], ones at first; a constant where it is not learned.
Symbol norm_scale(LayerContext& context, bool learned, i64 features);
/// "bias" [features], zeros at first; a constant where it is not learned.
Symbol norm_shift(LayerContext& context, bool learned, i64 features);
void check_norm_epsilon(double epsilon, const char* kind, Site site);

}  // namespace goneuron
