// Accuracy: 1 where the prediction is right. Several outputs: arg max; one output: above 0.5.
#include "goneuron/loss.h"
#include "graph/expr.h"
#include "train/losses/targets.h"
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

AccuracyMetric::AccuracyMetric() : Metric("accuracy", accuracy, {}) {}

Metric AccuracyMetric::operator()(const AccuracyOptions& options, Site site) const {
  require_index("Accuracy", options.ignore_index, site);
  return {name().c_str(),
          [=](const Symbol& y_true, const Symbol& y_pred) {
            return accuracy_of(y_true, y_pred, options);
          },
          site};
}

const AccuracyMetric Accuracy;

}  // namespace goneuron
