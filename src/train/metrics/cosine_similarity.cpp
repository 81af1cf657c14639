// CosineSimilarity: y . p / (|y| |p|) along the last axis; a row of zeros counts as 0.
#include "goneuron/metric.h"
#include "train/losses/targets.h"
#include "train/metrics/functions.h"

namespace goneuron {

Symbol cosine_similarity(const Symbol& y_true, const Symbol& y_pred) {
  const Symbol target = value_targets("CosineSimilarity", y_true, y_pred,
                                      "a metric does not broadcast: targets and predictions have "
                                      "one shape");
  const auto length = [](const Symbol& x) {
    return sqrt(maximum(sum(square(x, {}), {-1}, true, {}), 1e-12), {});
  };
  return per_sample(sum((target / length(target)) * (y_pred / length(y_pred)), {-1}, false, {}));
}

const Metric CosineSimilarity("cosine_similarity", cosine_similarity, {});

}  // namespace goneuron
