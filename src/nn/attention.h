// What MultiHeadAttention and TransformerBlock share: the sequences and masks of a call, checks of
// options, and attention with its projections.
#pragma once

#include <string>

#include "goneuron/attention.h"
#include "graph/layer_impl.h"

namespace goneuron {

/// The inputs of a call, told apart by their ranks: sequences [batch, time, width], each with the
/// mask [batch, time] behind it; empty where there is none.
struct AttentionInputs {
  Symbol x, mask, memory, memory_mask;
};
AttentionInputs sequences_of(const LayerContext& context, bool memory_wanted);

void check_attention(i64 heads, const AttentionOptions& options, const char* kind, Site site);

/// The attention of x to `memory`, or to itself where that is empty, up to the last projection.
/// Names of weights begin with `prefix`.
Symbol attend(LayerContext& context, const std::string& prefix, i64 heads,
              const AttentionOptions& options, const Symbol& x, const Symbol& memory,
              const Symbol& mask);

/// x W + b over the last axis, with variables `name`_weight and `name`_bias.
struct Projection {
  std::string name;
  i64 units;
  Initializer weight_init, bias_init;
  i64 fan_out;  // for the initializer
  bool bias;
};
Symbol project(LayerContext& context, const Projection& projection, const Symbol& x);

/// Zeros at `rate` in training; x itself at 0.
Symbol drop(const Symbol& x, double rate);

}  // namespace goneuron
