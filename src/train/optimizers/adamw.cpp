// AdamW (Loshchilov & Hutter 2019): Adam with weight decay taken from the weight itself.
#include "train/optimizers/check.h"

namespace goneuron {

Optimizer AdamW(double learning_rate, const AdamWOptions& options, Site site) {
  const Optimizer optimizer{.kind = Optimizer::Kind::adamw,
                            .learning_rate = learning_rate,
                            .beta1 = options.beta1,
                            .beta2 = options.beta2,
                            .epsilon = options.epsilon,
                            .weight_decay = options.weight_decay,
                            .site = site};
  check_rates(optimizer, "AdamW");
  check_moments(optimizer, "AdamW");
  return optimizer;
}

}  // namespace goneuron
