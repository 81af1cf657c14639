// MeanAbsolutePercentageError: mean(100 |y - p| / max(|y|, 1e-7)), as Keras'.
#include "goneuron/metric.h"
#include "train/losses/targets.h"
#include "train/metrics/functions.h"

namespace goneuron {

Symbol mean_absolute_percentage_error(const Symbol& y_true, const Symbol& y_pred) {
  const Symbol target = value_targets("MeanAbsolutePercentageError", y_true, y_pred,
                                      "a metric does not broadcast: targets and predictions have "
                                      "one shape");
  return per_sample(100.0 * (abs(y_pred - target, {}) / maximum(abs(target, {}), 1e-7)));
}

const Metric MeanAbsolutePercentageError("mean_absolute_percentage_error",
                                         mean_absolute_percentage_error, {});

}  // namespace goneuron
