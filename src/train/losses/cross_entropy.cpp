// CrossEntropy: -log p[class], from logits where the prediction is a Softmax or LogSoftmax of them.
#include "core/message.h"
#include "goneuron/loss.h"
#include "graph/layer_impl.h"
#include "train/losses/targets.h"

namespace goneuron {

namespace {
// Probabilities below this are taken for it, as in Keras: the loss stays below 16.2.
constexpr double smallest_probability = 1e-7;

Symbol cross_entropy(const Symbol& y_true, const Symbol& y_pred, double smoothing) {
  const Symbol labels = class_targets("CrossEntropy", y_true, y_pred);
  if (y_pred.shape()[-1] == 1)
    throw_shape({.where = "CrossEntropy",
                 .what = "predictions are " + y_pred.shape().str() +
                         "; expected two classes or more: with one the loss is always 0",
                 .lines = {{"predictions", y_pred.shape().str() + from_text(y_pred)}},
                 .hint = "use Dense(1, Sigmoid) with BinaryCrossEntropy, or Dense(2, Softmax)"});
  const Attrs attrs{{"label_smoothing", smoothing}};
  Symbol logits = before(y_pred, "softmax");
  if (!logits) logits = before(y_pred, "log_softmax");
  if (logits) return per_sample(make("softmax_cross_entropy", {logits, labels}, attrs));
  const Symbol clipped = make("maximum", {y_pred, scalar(smallest_probability)});
  return per_sample(make("nll", {make("log", {clipped}), labels}, attrs));
}

SymbolFunction with(double smoothing) {
  return [=](const Symbol& y_true, const Symbol& y_pred) {
    return cross_entropy(y_true, y_pred, smoothing);
  };
}
}  // namespace

CrossEntropyLoss::CrossEntropyLoss() : Loss("cross_entropy", with(0), {}) {}

Loss CrossEntropyLoss::operator()(const CrossEntropyOptions& options, Site site) const {
  const double smoothing = options.label_smoothing;
  require(smoothing >= 0 && smoothing < 1, "CrossEntropy", site,
          "a label_smoothing of " + number_text(smoothing) + "; expected at least 0 and below 1",
          "it is the share of a target that is spread over all classes; 0.1 is usual");
  return {name().c_str(), with(smoothing), site};
}

const CrossEntropyLoss CrossEntropy;

}  // namespace goneuron
