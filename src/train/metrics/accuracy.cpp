// Accuracy: 1 where the prediction is right. Several outputs: arg max; one output: above 0.5.
#include "goneuron/loss.h"
#include "graph/expr.h"
#include "train/losses/targets.h"
#include "train/metrics/functions.h"

namespace goneuron {

Symbol accuracy(const Symbol& y_true, const Symbol& y_pred) {
  const bool classes = y_pred.shape().rank() >= 2 && y_pred.shape()[-1] != 1;
  const Symbol target =
      classes ? class_targets("Accuracy", y_true, y_pred)
              : value_targets("Accuracy", y_true, y_pred,
                              "one output is compared with one target: 0 or 1 for each prediction");
  return make("accuracy", {target, y_pred});
}

const Metric Accuracy("accuracy", accuracy, {});

}  // namespace goneuron
