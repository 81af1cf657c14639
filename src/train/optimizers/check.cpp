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

void check_gradients(const Optimizer& o, const char* kind) {
  const auto check_bound = [&](const char* name, double bound) {
    require(bound >= 0 && std::isfinite(bound), kind, o.site,
            std::string("a ") + name + " of " + number_text(bound) + "; expected 0 or more",
            "0 is no clipping; 1 is a usual norm");
    return bound > 0 ? 1 : 0;
  };
  const int ways = check_bound("clip_value", o.clip_value) + check_bound("clip_norm", o.clip_norm) +
                   check_bound("global_clip_norm", o.global_clip_norm);
  require(ways <= 1, kind, o.site,
          std::to_string(ways) + " ways to clip gradients; expected at most one",
          "set one of clip_value, clip_norm and global_clip_norm; the last is the usual one");
  for (const ParameterGroup& group : o.groups) {
    const std::string which = group.fits             ? "a parameter group"
                              : !group.names.empty() ? "the group of \"" + group.names[0] + "\""
                                                     : "the group \"" + group.pattern + "\"";
    require(group.fits || !group.names.empty() || !group.pattern.empty(), kind, o.site,
            "a parameter group without pattern and function; expected one of them",
            "a pattern fits names of weights: {\"*bias\", {.weight_decay = 0}}");
    const double scale = group.options.learning_rate_scale;
    require(scale >= 0 && std::isfinite(scale), kind, o.site,
            which + " has a learning_rate_scale of " + number_text(scale) + "; expected 0 or more",
            "the optimizer's learning rate is multiplied by it: 0.1 makes it a tenth");
    const double decay = group.options.weight_decay.value_or(0);
    require(decay >= 0 && std::isfinite(decay), kind, o.site,
            which + " has a weight decay of " + number_text(decay) + "; expected 0 or more",
            "0 is none; leave it out to take the optimizer's");
  }
}

double first_rate(const Schedule& schedule) {
  return schedule.constant() ? schedule.numbers()[0] : Optimizer().learning_rate;
}

}  // namespace goneuron
