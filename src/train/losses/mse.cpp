// MSE: mean((y - p)^2) over everything but the batch.
#include "goneuron/loss.h"
#include "graph/expr.h"
#include "train/losses/targets.h"

namespace goneuron {

namespace {
Symbol mse(const Symbol& y_true, const Symbol& y_pred) {
  const Symbol target = value_targets("MSE", y_true, y_pred,
                                      "a loss does not broadcast: give the model's last layer as "
                                      "many outputs as a target has values");
  return per_sample(make("square", {make("sub", {y_pred, target})}));
}
}  // namespace

const Loss MSE("mse", mse, {});

}  // namespace goneuron
