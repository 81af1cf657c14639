// Mixtures of experts: layers of which every token uses a few parts. A router gives each token's
// top_k experts and their weights; no token is dropped, whatever the experts' load.
#pragma once

#include "goneuron/transformer.h"

namespace goneuron {

struct MoEOptions {
  Activation activation = Linear;  ///< of every expert
  bool bias = true;                ///< of the experts; the router has none
  /// The weights of a token's experts add up to 1 (softmax over the chosen, as in Mixtral, Jiang et
  /// al. 2024). false: their probabilities among all experts; use it with top_k = 1 (Switch, Fedus
  /// et al. 2021), where a weight that is always 1 would teach the router nothing.
  bool normalize = true;
  /// Weight of the balancing loss, experts * sum of share * mean probability over the whole batch
  /// (Shazeer et al. 2017, Fedus et al. 2021): 1 for even use, `experts` when one gets all. 0:
  /// none.
  double balance = 0.01;
  /// Weight of the router's z-loss, the mean of logsumexp(logits)^2 (Zoph et al. 2022, who use
  /// 0.001). 0: none.
  double z_loss = 0;
  bool log_experts = false;  ///< each expert's share as a metric, besides the largest and smallest
  Initializer weight_init = TorchDefault;
  Initializer bias_init = TorchDefault;
  const char* name = "";
};
/// [.., in] -> [.., out]: the weighted sum of each token's `top_k` of `experts` layers
/// activation(x W + b); W [experts, in, out], b [experts, out], router [in, experts]. Adds the
/// losses moe/balance and moe/z and the metrics moe/most and moe/least (the largest and smallest
/// share of the routed rows; moe/expert_0, ... with log_experts); with a name, under that name.
/// Layers of one name are summed (losses) or averaged (metrics) in the logs. Throws GraphError for
/// top_k outside [1, experts], and weights below 0.
Layer MoE(i64 out, i64 experts, i64 top_k, const MoEOptions& options = {},
          Site site = Site::here());

struct ExpertOptions {
  FeedForward activation = GELU;  ///< any activation, or SwiGLU
  bool bias = true;
  bool normalize = true;     ///< as in MoEOptions
  double balance = 0.01;     ///< as in MoEOptions
  double z_loss = 0;         ///< as in MoEOptions
  bool log_experts = false;  ///< as in MoEOptions
  Initializer weight_init = TorchDefault;
  Initializer bias_init = TorchDefault;
  const char* name = "";
};
/// [.., width] -> [.., width]: a mixture of `experts` feed-forward nets with `hidden` units, in
/// place of a transformer block's: TransformerBlock(8, {.feed_forward_layer = ..}). Losses, metrics
/// and errors as MoE's.
Layer ExpertFeedForward(i64 hidden, i64 experts, i64 top_k, const ExpertOptions& options = {},
                        Site site = Site::here());

/// What a MoE or ExpertFeedForward layer gave its experts: [.., experts], the weight of each for
/// each token, 0 where it is not used. Model(model.input(), expert_weights(layer)) predicts it.
/// Throws GraphError for another layer, or one that is not built yet.
Symbol expert_weights(const Layer& layer, Site site = Site::here());

}  // namespace goneuron
