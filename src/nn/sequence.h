// The checks that layers over time share.
#pragma once

#include "graph/layer_impl.h"

namespace goneuron {

/// ShapeError unless a sample of input 0 is [time, features]; gives the features.
i64 check_sequence(const LayerContext& context);
/// What to do where `input` should have been a sequence: of a recurrent layer's last output, to ask
/// for all of them, else `other`.
std::string sequence_hint(const Symbol& input, const std::string& other);
/// The mask of a layer of sequences, its input `index`: [batch, time] of floats, 1 where a step
/// counts. Empty where that input was not given; ShapeError or TypeError unless it fits input 0.
Symbol mask_input(const LayerContext& context, size_t index = 1);

}  // namespace goneuron
