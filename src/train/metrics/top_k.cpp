// TopKCategoricalAccuracy: 1 where the class is among the k largest outputs, the first among
// equals.
#include "core/message.h"
#include "goneuron/functions.h"
#include "graph/expr.h"
#include "graph/layer_impl.h"
#include "train/losses/targets.h"
#include "train/metrics/evidence.h"

namespace goneuron {

namespace {

constexpr const char* log_names[] = {"top_k_categorical_accuracy",
                                     "sparse_top_k_categorical_accuracy"};
constexpr const char* kinds[] = {"TopKCategoricalAccuracy", "SparseTopKCategoricalAccuracy"};

Symbol top_k_accuracy(bool sparse, const TopKOptions& options, const Symbol& y_true,
                      const Symbol& y_pred) {
  const char* kind = kinds[sparse ? 1 : 0];
  const Symbol labels = class_targets(kind, y_true, y_pred);
  need_labels(kind, sparse, y_true, y_pred);
  if (options.k > y_pred.shape()[-1])
    throw_shape({.where = kind,
                 .what = "a k of " + std::to_string(options.k) + " for predictions of " +
                         y_pred.shape().str() + "; expected at most one a class",
                 .lines = {{"predictions", y_pred.shape().str() + from_text(y_pred)}},
                 .hint = "give a smaller one: {.k = 2}"});
  const Symbol picked = cast(largest(y_pred, options.k), DType::f32, {});   // [.., k]
  const Symbol wanted = cast(class_index(labels, y_pred), DType::f32, {});  // [.., 1]
  const Symbol found = sum(equal(picked, wanted), {-1}, false, {});
  if (!options.ignore_index) return per_sample(found);
  need_indices(kind, labels, y_true, y_pred);
  return masked_mean(found, label_mask(labels, *options.ignore_index));
}

SymbolFunction among(bool sparse, const TopKOptions& options) {
  return [=](const Symbol& y_true, const Symbol& y_pred) {
    return top_k_accuracy(sparse, options, y_true, y_pred);
  };
}

}  // namespace

TopKMetric::TopKMetric(bool sparse) : Metric(log_names[sparse ? 1 : 0], among(sparse, {}), {}) {}

Metric TopKMetric::operator()(const TopKOptions& options, Site site) const {
  const bool sparse = name() == log_names[1];
  const char* kind = kinds[sparse ? 1 : 0];
  require(options.k >= 1, kind, site,
          "a k of " + std::to_string(options.k) + "; expected 1 or more",
          "it is the number of outputs among which the class may be: 5 is usual");
  require_index(kind, options.ignore_index, site);
  return {name().c_str(), among(sparse, options), site};
}

const TopKMetric TopKCategoricalAccuracy(false), SparseTopKCategoricalAccuracy(true);

}  // namespace goneuron
