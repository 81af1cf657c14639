// Accuracy: 1 where the prediction is right. Several outputs: arg max; one output: above 0.5. Its
// forms for one kind of label each.
#include "core/message.h"
#include "goneuron/functions.h"
#include "goneuron/metric.h"
#include "graph/expr.h"
#include "train/losses/targets.h"
#include "train/metrics/evidence.h"
#include "train/metrics/functions.h"

namespace goneuron {

namespace {
Symbol accuracy_of(const Symbol& y_true, const Symbol& y_pred, const AccuracyOptions& options) {
  const bool classes = y_pred.shape().rank() >= 2 && y_pred.shape()[-1] != 1;
  const Symbol target =
      classes ? class_targets("Accuracy", y_true, y_pred)
              : value_targets("Accuracy", y_true, y_pred,
                              "one output is compared with one target: 0 or 1 for each prediction");
  if (!options.ignore_index) return make("accuracy", {target, y_pred});
  need_indices("Accuracy", target, y_true, y_pred);
  return masked_mean(make("accuracy", {target, y_pred}, {{"each", i64{1}}}),
                     label_mask(target, *options.ignore_index));
}
}  // namespace

Symbol accuracy(const Symbol& y_true, const Symbol& y_pred) {
  return accuracy_of(y_true, y_pred, {});
}

Symbol categorical_accuracy(const Symbol& y_true, const Symbol& y_pred) {
  need_labels("CategoricalAccuracy", false, y_true, y_pred);
  return accuracy_of(y_true, y_pred, {});
}
Symbol sparse_categorical_accuracy(const Symbol& y_true, const Symbol& y_pred) {
  need_labels("SparseCategoricalAccuracy", true, y_true, y_pred);
  return accuracy_of(y_true, y_pred, {});
}

AccuracyMetric::AccuracyMetric() : Metric("accuracy", accuracy, {}) {}

Metric AccuracyMetric::operator()(const AccuracyOptions& options, Site site) const {
  require_index("Accuracy", options.ignore_index, site);
  return {name().c_str(),
          [=](const Symbol& y_true, const Symbol& y_pred) {
            return accuracy_of(y_true, y_pred, options);
          },
          site};
}

namespace {
SymbolFunction above(double threshold) {
  return [=](const Symbol& y_true, const Symbol& y_pred) {
    const Symbol target = value_targets("BinaryAccuracy", y_true, y_pred,
                                        "each output is compared with one target: 0 or 1");
    return per_sample(equal(greater(target, 0.5), greater(y_pred, threshold)));
  };
}
}  // namespace

BinaryAccuracyMetric::BinaryAccuracyMetric() : Metric("binary_accuracy", above(0.5), {}) {}

Metric BinaryAccuracyMetric::operator()(const BinaryAccuracyOptions& options, Site site) const {
  require_threshold("BinaryAccuracy", options.threshold, site);
  return {name().c_str(), above(options.threshold), site};
}

const AccuracyMetric Accuracy;
const BinaryAccuracyMetric BinaryAccuracy;
const Metric CategoricalAccuracy("categorical_accuracy", categorical_accuracy, {});
const Metric SparseCategoricalAccuracy("sparse_categorical_accuracy", sparse_categorical_accuracy,
                                       {});

}  // namespace goneuron
