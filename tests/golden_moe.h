// The layers of golden_layers_moe.json and golden_moe.json.
#pragma once

#include "golden.h"
#include "goneuron/moe.h"

namespace goneuron::golden {

/// The mixture that a case describes; with the weights of losses where it has them, else without.
inline Layer mixture_of(const Json& one, const FeedForward& activation) {
  const Json& o = one.at("options");
  const i64 experts = o.at("experts"), top_k = o.at("top_k");
  const double balance = o.value("balance", 0.0), z_loss = o.value("z_loss", 0.0);
  if (one.at("layer") == "MoE")
    return MoE(o.at("out").get<i64>(), experts, top_k,
               {.activation = activation.activation,
                .bias = o.at("bias"),
                .normalize = o.at("normalize"),
                .balance = balance,
                .z_loss = z_loss});
  return ExpertFeedForward(
      o.at("hidden").get<i64>(), experts, top_k,
      {.activation = activation, .bias = o.at("bias"), .balance = balance, .z_loss = z_loss});
}

}  // namespace goneuron::golden
