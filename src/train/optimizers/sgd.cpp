// SGD: stochastic gradient descent, with momentum and Nesterov's variant as in PyTorch.
#include "core/message.h"
#include "graph/layer_impl.h"
#include "train/optimizers/check.h"

namespace goneuron {

Optimizer SGD(double learning_rate, const SGDOptions& options, Site site) {
  const Optimizer optimizer{.kind = Optimizer::Kind::sgd,
                            .learning_rate = learning_rate,
                            .momentum = options.momentum,
                            .nesterov = options.nesterov,
                            .weight_decay = options.weight_decay,
                            .site = site};
  check_rates(optimizer, "SGD");
  require(options.momentum >= 0 && options.momentum < 1, "SGD", site,
          "a momentum of " + number_text(options.momentum),
          "it is the share of velocity kept from step to step: at least 0 and below 1");
  require(!options.nesterov || options.momentum > 0, "SGD", site, "Nesterov without momentum",
          "pass {.momentum = 0.9, .nesterov = true}");
  return optimizer;
}

}  // namespace goneuron
