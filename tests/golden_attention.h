// The attention layers of golden_layers_attention.json.
#pragma once

#include <optional>

#include "golden.h"
#include "goneuron/transformer.h"

namespace goneuron::golden {

inline Layer multi_head_attention_of(const Json& o) {
  return MultiHeadAttention(o.at("heads").get<i64>(), {.kv_heads = o.value("kv_heads", i64{0}),
                                                       .head_dim = o.value("head_dim", i64{0}),
                                                       .causal = o.value("causal", false),
                                                       .window = o.value("window", i64{0}),
                                                       .rope = o.value("rope", false),
                                                       .rope_base = o.at("rope_base"),
                                                       .rope_scale = o.at("rope_scale"),
                                                       .scale = o.value("scale", 0.0),
                                                       .bias = o.value("bias", true)});
}

inline Layer transformer_block_of(const Json& o) {
  const std::string kind = o.at("feed_forward");
  const FeedForward feed_forward = kind == "swiglu" ? SwiGLU : kind == "relu" ? 0 : 1;
  return TransformerBlock(o.at("heads").get<i64>(), o.at("ff").get<i64>(),
                          {.pre_norm = o.at("pre_norm"),
                           .norm = o.at("norm") == "rms" ? NormKind(RMSNorm) : NormKind(LayerNorm),
                           .feed_forward = feed_forward,
                           .causal = o.at("causal"),
                           .window = o.value("window", i64{0}),
                           .kv_heads = o.value("kv_heads", i64{0}),
                           .rope = o.value("rope", false),
                           .rope_base = o.value("rope_base", 10000.0),
                           .rope_scale = o.value("rope_scale", 1.0),
                           .cross_attention = o.value("cross_attention", false),
                           .bias = o.value("bias", true)});
}

}  // namespace goneuron::golden
