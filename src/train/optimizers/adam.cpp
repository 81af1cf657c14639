// Adam (Kingma & Ba 2015); weight decay is added to the gradient.
#include "train/optimizers/check.h"

namespace goneuron {

Optimizer Adam(const Schedule& learning_rate, const AdamOptions& options, Site site) {
  const Optimizer optimizer{.kind = Optimizer::Kind::adam,
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
  check_rates(optimizer, "Adam");
  check_gradients(optimizer, "Adam");
  check_moments(optimizer, "Adam");
  return optimizer;
}

}  // namespace goneuron
