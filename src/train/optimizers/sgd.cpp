// SGD: stochastic gradient descent, with momentum and Nesterov's variant as in PyTorch.
#include "core/message.h"
#include "graph/layer_impl.h"
#include "train/optimizers/check.h"

namespace goneuron {

Optimizer SGD(const Schedule& learning_rate, const SGDOptions& options, Site site) {
  const Optimizer optimizer{.kind = Optimizer::Kind::sgd,
                            .learning_rate = first_rate(learning_rate),
                            .momentum = options.momentum,
                            .nesterov = options.nesterov,
                            .weight_decay = options.weight_decay,
                            .site = site,
                            .schedule = learning_rate,
                            .clip_value = options.clip_value,
                            .clip_norm = options.clip_norm,
                            .global_clip_norm = options.global_clip_norm,
                            .decay_norms_and_biases = options.decay_norms_and_biases,
                            .groups = options.groups};
  check_rates(optimizer, "SGD");
  check_gradients(optimizer, "SGD");
  require(options.momentum >= 0 && options.momentum < 1, "SGD", site,
          "a momentum of " + number_text(options.momentum) + "; expected at least 0 and below 1",
          "it is the share of the velocity that is kept from step to step; 0.9 is usual");
  require(!options.nesterov || options.momentum > 0, "SGD", site,
          "Nesterov without momentum; expected a momentum above 0",
          "pass {.momentum = 0.9, .nesterov = true}");
  return optimizer;
}

}  // namespace goneuron
