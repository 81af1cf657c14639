// Optimizers.
#include "config/tables.h"

namespace goneuron::config {
namespace {

constexpr Option rate(const char* fallback) {
  return {"learning_rate",
          Type::rate,
          fallback,
          "0.001",
          "size of a step: a number, or a schedule such as CosineDecay",
          above(0),
          {},
          schedule_table};
}
constexpr Option decay(const char* fallback, const char* meaning) {
  return {"weight_decay", Type::number, fallback, "0.01", meaning, at_least(0)};
}
constexpr Option decay_norms = {"decay_norms_and_biases", Type::boolean, "true", "false",
                                "false: no decay of biases and of weights of one axis"};
constexpr Option clip_value = {"clip_value",
                               Type::number,
                               "0",
                               "1",
                               "each number of a gradient is kept within +- this; 0: any",
                               at_least(0)};
constexpr Option clip_norm = {"clip_norm",
                              Type::number,
                              "0",
                              "1",
                              "the norm of each weight's gradient is at most this; 0: any",
                              at_least(0)};
constexpr Option global_clip_norm = {"global_clip_norm",
                                     Type::number,
                                     "0",
                                     "1",
                                     "the norm of all gradients together is at most this; 0: any",
                                     at_least(0)};
constexpr Option beta1 = {"beta1", Type::number, "0.9", "0.9", "memory of the gradients", share};
constexpr Option beta2 = {"beta2", Type::number, "0.999", "0.95", "memory of their squares", share};
constexpr Option epsilon = {
    "epsilon", Type::number, "1e-08", "1e-8", "added to the divisor, against dividing by 0",
    above(0)};

constexpr Option sgd_options[] = {
    rate("0.01"),
    {"momentum", Type::number, "0", "0.9", "share of the last step that goes on", share},
    {"nesterov", Type::boolean, "false", "true", "looks ahead along the momentum"},
    decay("0", "added to the gradient, times the weight"),
    decay_norms,
    clip_value,
    clip_norm,
    global_clip_norm};
constexpr Option adam_options[] = {rate("0.001"),
                                   beta1,
                                   beta2,
                                   epsilon,
                                   decay("0", "added to the gradient, times the weight"),
                                   decay_norms,
                                   clip_value,
                                   clip_norm,
                                   global_clip_norm};
constexpr Option adamw_options[] = {
    rate("0.001"),
    beta1,
    beta2,
    epsilon,
    decay("0.01", "taken from the weight in each step, times the rate"),
    decay_norms,
    clip_value,
    clip_norm,
    global_clip_norm};

template <class O>
O adam_like(const Options& o) {
  return {.beta1 = o.number("beta1"),
          .beta2 = o.number("beta2"),
          .epsilon = o.number("epsilon"),
          .weight_decay = o.number("weight_decay"),
          .decay_norms_and_biases = o.boolean("decay_norms_and_biases"),
          .clip_value = o.number("clip_value"),
          .clip_norm = o.number("clip_norm"),
          .global_clip_norm = o.number("global_clip_norm")};
}

using OptimizerRow = Row<Optimizer, const Options&>;
constexpr OptimizerRow optimizer_rows[] = {
    {{"SGD", "stochastic gradient descent, with momentum on request", sgd_options},
     [](const Options& o) {
       return SGD(make_rate(o.value("learning_rate"), o.context()),
                  {.momentum = o.number("momentum"),
                   .nesterov = o.boolean("nesterov"),
                   .weight_decay = o.number("weight_decay"),
                   .decay_norms_and_biases = o.boolean("decay_norms_and_biases"),
                   .clip_value = o.number("clip_value"),
                   .clip_norm = o.number("clip_norm"),
                   .global_clip_norm = o.number("global_clip_norm")},
                  o.site());
     }},
    {{"Adam", "a step size for each weight; a good first choice", adam_options},
     [](const Options& o) {
       return Adam(make_rate(o.value("learning_rate"), o.context()), adam_like<AdamOptions>(o),
                   o.site());
     }},
    {{"AdamW", "Adam with weight decay apart; for transformers", adamw_options},
     [](const Options& o) {
       return AdamW(make_rate(o.value("learning_rate"), o.context()), adam_like<AdamWOptions>(o),
                    o.site());
     }},
};

}  // namespace

const Table& optimizer_table() {
  static const Table table = {"optimizer", "optimizers", kinds_of(optimizer_rows)};
  return table;
}

Optimizer make_optimizer(const Value& value, const Context& context) {
  return make_from(optimizer_rows, optimizer_table(), value, context);
}

}  // namespace goneuron::config
