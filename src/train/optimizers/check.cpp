#include "train/optimizers/check.h"

#include <cmath>

#include "core/message.h"
#include "graph/layer_impl.h"

namespace goneuron {

void check_rates(const Optimizer& optimizer, const char* kind) {
  const double rate = optimizer.learning_rate, decay = optimizer.weight_decay;
  require(rate > 0 && std::isfinite(rate), kind, optimizer.site,
          "a learning rate of " + number_text(rate) + "; expected a number above 0",
          "0.001 is a usual start for Adam, 0.01 for SGD");
  require(decay >= 0 && std::isfinite(decay), kind, optimizer.site,
          "a weight decay of " + number_text(decay) + "; expected 0 or more",
          "0 is none; 0.01 is usual for AdamW");
}

void check_moments(const Optimizer& optimizer, const char* kind) {
  const auto check_beta = [&](const char* name, double beta) {
    require(
        beta >= 0 && beta < 1, kind, optimizer.site,
        std::string("a ") + name + " of " + number_text(beta) + "; expected at least 0 and below 1",
        "it is the share of the moment that is kept from step to step");
  };
  check_beta("beta1", optimizer.beta1);
  check_beta("beta2", optimizer.beta2);
  require(optimizer.epsilon > 0 && std::isfinite(optimizer.epsilon), kind, optimizer.site,
          "an epsilon of " + number_text(optimizer.epsilon) + "; expected a number above 0",
          "it keeps a step with gradient 0 from dividing by 0");
}

}  // namespace goneuron
