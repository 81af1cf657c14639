// Adam (Kingma & Ba 2015); weight decay is added to the gradient.
#include "train/optimizers/check.h"

namespace goneuron {

Optimizer Adam(double learning_rate, const AdamOptions& options, Site site) {
  const Optimizer optimizer{.kind = Optimizer::Kind::adam,
                            .learning_rate = learning_rate,
                            .beta1 = options.beta1,
                            .beta2 = options.beta2,
                            .epsilon = options.epsilon,
                            .weight_decay = options.weight_decay,
                            .site = site};
  check_rates(optimizer, "Adam");
  check_moments(optimizer, "Adam");
  return optimizer;
}

}  // namespace goneuron
