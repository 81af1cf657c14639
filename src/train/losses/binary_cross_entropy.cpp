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

Symbol binary_cross_entropy(const Symbol& y_true, const Symbol& y_pred) {
  const Symbol target =
      value_targets("BinaryCrossEntropy", y_true, y_pred,
                    "it takes one output a target, e.g. Dense(1, Sigmoid); for class indices use "
                    "Dense(classes, Softmax) with CrossEntropy");
  if (const Symbol logits = before(y_pred, "sigmoid"))
    return per_sample(make("sigmoid_binary_cross_entropy", {logits, target}));
  const Symbol positive = make("mul", {target, clipped_log(y_pred)});
  const Symbol negative = make("mul", {one_minus(target), clipped_log(one_minus(y_pred))});
  return per_sample(make("neg", {make("add", {positive, negative})}));
}
}  // namespace

const Loss BinaryCrossEntropy("binary_cross_entropy", binary_cross_entropy, {});

}  // namespace goneuron
