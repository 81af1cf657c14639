#include "train/metrics/evidence.h"

#include <cmath>

#include "core/message.h"
#include "goneuron/functions.h"
#include "graph/expr.h"
#include "graph/layer_impl.h"
#include "train/losses/targets.h"

namespace goneuron {

Symbol columns(const std::vector<Symbol>& symbols) {
  std::vector<Symbol> parts;
  for (const Symbol& symbol : symbols) {
    const Symbol values = symbol.dtype() == DType::f32 ? symbol : cast(symbol, DType::f32, {});
    parts.push_back(
        make("expand_dims", {values}, {{"axis", static_cast<i64>(values.shape().rank())}}));
  }
  return concat(parts, -1, {});
}

bool labels_apart(const Symbol& y_pred, const std::optional<bool>& multi_label) {
  if (y_pred.shape().rank() < 2 || y_pred.shape()[-1] == 1) return true;
  return multi_label.value_or(static_cast<bool>(before(y_pred, "sigmoid")));
}

Symbol largest(const Symbol& scores, i64 k) {
  return output_of(make("top_k", {scores}, {{"k", k}}), 1);
}

Symbol class_index(const Symbol& labels, const Symbol& y_pred) {
  if (is_floating(labels.dtype())) return largest(labels, 1);
  return make("expand_dims", {labels}, {{"axis", static_cast<i64>(y_pred.shape().rank() - 1)}});
}

Symbol value_rows(const char* name, const Symbol& y_true, const Symbol& y_pred) {
  const Symbol target = value_targets(name, y_true, y_pred,
                                      "a metric does not broadcast: targets and predictions have "
                                      "one shape");
  return columns({target, y_pred});
}

ClassRows class_rows(const char* name, const Symbol& y_true, const Symbol& y_pred,
                     const std::optional<bool>& multi_label) {
  if (labels_apart(y_pred, multi_label)) {
    const i64 outputs = y_pred.shape().rank() < 2 ? 1 : y_pred.shape()[-1];
    return {true, outputs, value_rows(name, y_true, y_pred)};
  }
  const Symbol target = class_index(class_targets(name, y_true, y_pred), y_pred);
  const std::vector<Symbol> both = {cast(target, DType::f32, {}),
                                    cast(largest(y_pred, 1), DType::f32, {})};
  return {false, y_pred.shape()[-1], concat(both, -1, {})};
}

void need_labels(const char* name, bool sparse, const Symbol& y_true, const Symbol& y_pred) {
  const Symbol labels = class_targets(name, y_true, y_pred);
  if (is_floating(labels.dtype()) != sparse) return;
  const std::string found = y_true.shape().str() + " " + dtype_name(y_true.dtype());
  throw_type(
      {.where = name,
       .what = "targets are " + found + "; expected " +
               (sparse ? "class indices" : "one-hot rows in floating point"),
       .lines = {{"predictions", y_pred.shape().str() + from_text(y_pred)}},
       .hint = sparse
                   ? "use the metric without \"Sparse\" in front for one-hot rows, or pass their "
                     "argmax()"
                   : "use the metric with \"Sparse\" in front for class indices"});
}

const char* name_or(const std::string& given, const char* own) {
  return given.empty() ? own : given.c_str();
}

void require_threshold(const char* kind, double threshold, Site site) {
  require(std::isfinite(threshold), kind, site,
          "a threshold of " + number_text(threshold) + "; expected a number",
          "outputs above it count as 1; 0.5 is usual after a Sigmoid, 0 for logits");
}

}  // namespace goneuron
