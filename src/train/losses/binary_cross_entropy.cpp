// BinaryCrossEntropy: -(y log p + (1 - y) log(1 - p)), from logits where the prediction is a
// Sigmoid of them.
#include "goneuron/loss.h"
#include "graph/expr.h"
#include "train/losses/targets.h"

namespace goneuron {

namespace {
// Probabilities below this are taken for it, as in Keras: the loss stays below 16.2.
constexpr double smallest_probability = 1e-7;

Symbol clipped_log(const Symbol& p) {
  return make("log", {make("maximum", {p, scalar(smallest_probability)})});
}
Symbol one_minus(const Symbol& x) {
  return make("scale_shift", {x}, {{"scale", -1.0}, {"shift", 1.0}});
}

Symbol binary_cross_entropy(const Symbol& y_true, const Symbol& y_pred, bool from_logits) {
  constexpr const char* name = "BinaryCrossEntropy";
  const Symbol target = in_unit_range(
      value_targets(name, y_true, y_pred,
                    "it takes one output a target, e.g. Dense(1, Sigmoid); for class indices use "
                    "Dense(classes, Softmax) with CrossEntropy"));
  if (const Symbol logits = logits_of(name, y_pred, "sigmoid", from_logits))
    return per_sample(make("sigmoid_binary_cross_entropy", {logits, target}));
  const Symbol p = probabilities(name, y_pred, "Sigmoid");
  const Symbol positive = make("mul", {target, clipped_log(p)});
  const Symbol negative = make("mul", {one_minus(target), clipped_log(one_minus(p))});
  return per_sample(make("neg", {make("add", {positive, negative})}));
}

SymbolFunction with(const BinaryCrossEntropyOptions& options) {
  return [=](const Symbol& y_true, const Symbol& y_pred) {
    return binary_cross_entropy(y_true, y_pred, options.from_logits);
  };
}
}  // namespace

BinaryCrossEntropyLoss::BinaryCrossEntropyLoss() : Loss("binary_cross_entropy", with({}), {}) {}

Loss BinaryCrossEntropyLoss::operator()(const BinaryCrossEntropyOptions& options, Site site) const {
  return {name().c_str(), with(options), site};
}

const BinaryCrossEntropyLoss BinaryCrossEntropy;

}  // namespace goneuron
