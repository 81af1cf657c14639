// MeanAbsoluteError: mean(|y - p|) over everything but the batch.
#include "goneuron/metric.h"
#include "graph/expr.h"
#include "train/losses/targets.h"
#include "train/metrics/functions.h"

namespace goneuron {

Symbol mean_absolute_error(const Symbol& y_true, const Symbol& y_pred) {
  const Symbol target = value_targets("MeanAbsoluteError", y_true, y_pred,
                                      "a metric does not broadcast: targets and predictions have "
                                      "one shape");
  return per_sample(make("abs", {make("sub", {y_pred, target})}));
}

const Metric MeanAbsoluteError("mean_absolute_error", mean_absolute_error, {});

}  // namespace goneuron
