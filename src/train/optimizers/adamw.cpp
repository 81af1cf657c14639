// AdamW (Loshchilov & Hutter 2019): Adam with weight decay taken from the weight itself.
#include "train/optimizers/check.h"

namespace goneuron {

Optimizer AdamW(const Schedule& learning_rate, const AdamWOptions& options, Site site) {
  const Optimizer optimizer{.kind = Optimizer::Kind::adamw,
                            .learning_rate = first_rate(learning_rate),
                            .beta1 = options.beta1,
                            .beta2 = options.beta2,
                            .epsilon = options.epsilon,
                            .weight_decay = options.weight_decay,
                            .site = site,
                            .schedule = learning_rate,
                            .clip_value = options.clip_value,
                            .clip_norm = options.clip_norm,
                            .global_clip_norm = options.global_clip_norm,
                            .decay_norms_and_biases = options.decay_norms_and_biases,
                            .groups = options.groups};
  check_rates(optimizer, "AdamW");
  check_gradients(optimizer, "AdamW");
  check_moments(optimizer, "AdamW");
  return optimizer;
}

}  // namespace goneuron
