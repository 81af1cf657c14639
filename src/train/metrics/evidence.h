// Evidence: what metrics that count look at, brought to rows of numbers. Used by the metrics of
// classes and of values.
#pragma once

#include "goneuron/metric.h"

namespace goneuron {

/// Symbols of one shape [..] as f32 [.., count].
Symbol columns(const std::vector<Symbol>& symbols);

/// Targets and predictions of classes.
struct ClassRows {
  bool each = false;  // each output holds or not: rows {target, output}, output by output
  i64 classes = 1;    // outputs
  Symbol rows;        // else rows {class of the target, class of the prediction}
};
ClassRows class_rows(const char* name, const Symbol& y_true, const Symbol& y_pred,
                     const std::optional<bool>& multi_label);
/// Whether each output is a label of its own.
bool labels_apart(const Symbol& y_pred, const std::optional<bool>& multi_label);
/// Class indices as [.., 1] i32, those of one-hot rows included.
Symbol class_index(const Symbol& labels, const Symbol& y_pred);
/// The largest k of the last axis, as i32 [.., k].
Symbol largest(const Symbol& scores, i64 k);
/// [.., outputs, 2]: {target, output}.
Symbol value_rows(const char* name, const Symbol& y_true, const Symbol& y_pred);
/// TypeError unless the labels are class indices (`sparse`), or one-hot rows.
void need_labels(const char* name, bool sparse, const Symbol& y_true, const Symbol& y_pred);
/// The name of a metric, or the one it was given.
const char* name_or(const std::string& given, const char* own);
void require_threshold(const char* kind, double threshold, Site site);

}  // namespace goneuron
