// Builds the optimizer that a case of golden_optimizers.json describes, through the public
// factories. Used by golden_optimizers_test and golden_training_test. What a case leaves out is our
// default, and so compared too.
#pragma once

#include "golden.h"
#include "goneuron/optimizer.h"

namespace goneuron::golden {

inline Optimizer optimizer_of(const Json& one) {
  const std::string kind = one.at("optimizer");
  const Json& o = one.at("options");
  const double rate = o.at("learning_rate");
  const auto option = [&](const char* name, double ours) {
    return o.contains(name) ? o.at(name).get<double>() : ours;
  };
  if (kind == "SGD") {
    const SGDOptions ours;
    return SGD(rate, {.momentum = option("momentum", ours.momentum),
                      .nesterov = o.value("nesterov", ours.nesterov),
                      .weight_decay = option("weight_decay", ours.weight_decay)});
  }
  if (kind == "Adam") {
    const AdamOptions ours;
    return Adam(rate, {.beta1 = option("beta1", ours.beta1),
                       .beta2 = option("beta2", ours.beta2),
                       .epsilon = option("epsilon", ours.epsilon),
                       .weight_decay = option("weight_decay", ours.weight_decay)});
  }
  if (kind != "AdamW") throw std::runtime_error("no optimizer " + kind);
  const AdamWOptions ours;
  return AdamW(rate, {.beta1 = option("beta1", ours.beta1),
                      .beta2 = option("beta2", ours.beta2),
                      .epsilon = option("epsilon", ours.epsilon),
                      .weight_decay = option("weight_decay", ours.weight_decay)});
}

}  // namespace goneuron::golden
