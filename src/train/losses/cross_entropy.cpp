// CrossEntropy: -log p[class], from logits where the prediction is a Softmax or LogSoftmax of them.
#include "core/message.h"
#include "goneuron/loss.h"
#include "graph/layer_impl.h"
#include "train/losses/cross_entropy_terms.h"
#include "train/losses/targets.h"

namespace goneuron {

namespace {
// Probabilities below this are taken for it, as in Keras: the loss stays below 16.2.
constexpr double smallest_probability = 1e-7;

Symbol cross_entropy(const Symbol& y_true, const Symbol& y_pred,
                     const CrossEntropyOptions& options) {
  const CrossEntropyTerms terms = cross_entropy_terms("CrossEntropy", y_true, y_pred, options);
  return terms.mask ? masked_mean(terms.losses, terms.mask) : per_sample(terms.losses);
}

SymbolFunction with(const CrossEntropyOptions& options) {
  return [=](const Symbol& y_true, const Symbol& y_pred) {
    return cross_entropy(y_true, y_pred, options);
  };
}
}  // namespace

CrossEntropyTerms cross_entropy_terms(const char* name, const Symbol& y_true, const Symbol& y_pred,
                                      const CrossEntropyOptions& options) {
  Symbol labels = class_targets(name, y_true, y_pred);
  if (is_floating(labels.dtype())) labels = in_unit_range(labels);
  if (y_pred.shape()[-1] == 1)
    throw_shape({.where = name,
                 .what = "predictions are " + y_pred.shape().str() +
                         "; expected two classes or more: with one the loss is always 0",
                 .lines = {{"predictions", y_pred.shape().str() + from_text(y_pred)}},
                 .hint = "use Dense(1, Sigmoid) with BinaryCrossEntropy, or Dense(2, Softmax)"});
  Attrs attrs{{"label_smoothing", options.label_smoothing}};
  if (options.ignore_index) {
    need_indices(name, labels, y_true, y_pred);
    attrs.set("ignore_index", *options.ignore_index);
  }
  const Symbol mask = options.ignore_index ? label_mask(labels, *options.ignore_index) : Symbol();
  Symbol logits = logits_of(name, y_pred, "softmax", options.from_logits);
  if (!logits) logits = before(y_pred, "log_softmax");
  if (logits) return {make("softmax_cross_entropy", {logits, labels}, attrs), mask};
  const Symbol p = probabilities(name, y_pred, "Softmax");
  const Symbol clipped = make("maximum", {p, scalar(smallest_probability)});
  return {make("nll", {make("log", {clipped}), labels}, attrs), mask};
}

CrossEntropyLoss::CrossEntropyLoss() : Loss("cross_entropy", with({}), {}) {}

Loss CrossEntropyLoss::operator()(const CrossEntropyOptions& options, Site site) const {
  const double smoothing = options.label_smoothing;
  require(smoothing >= 0 && smoothing < 1, "CrossEntropy", site,
          "a label_smoothing of " + number_text(smoothing) + "; expected at least 0 and below 1",
          "it is the share of a target that is spread over all classes; 0.1 is usual");
  require_index("CrossEntropy", options.ignore_index, site);
  return {name().c_str(), with(options), site};
}

const CrossEntropyLoss CrossEntropy;

}  // namespace goneuron
