// What softmax_cross_entropy and nll share: labels that are class indices or rows of probabilities,
// smoothing as PyTorch's (target' = (1 - s) target + s / c), class indices that count for nothing
// (ignore_index, where it is given), and the status word for a label out of range.
#pragma once

#include "ops/rows.h"

namespace goneuron {

/// Checks scores[.., c] (input `scores`) against labels (input `labels`) and gives the shape of the
/// loss.
inline Shape check_labels(const InferContext& c, int scores, int labels) {
  check_last_axis(c, scores);
  if (c.attrs.has("label_smoothing")) check_real(c, "label_smoothing", 0, 1);
  const Shape &z = c.shape(scores), &t = c.shape(labels);
  const std::string classes = std::to_string(z[-1]);
  if (c.attrs.has("ignore_index")) c.attrs.integer("ignore_index");
  if (is_floating(c.dtype(labels))) {
    if (c.attrs.has("ignore_index"))
      c.fail_type("ignore_index is given for one-hot labels; it is a class index",
                  "give class indices (i32), or leave it out");
    check_floating(c, {scores, labels});
    if (!agree(z, t))
      c.fail("one-hot labels are " + t.str() + " for predictions of " + z.str() +
                 "; both must have the same shape",
             t.rank() < z.rank()
                 ? "class indices must be integers (i32); floating labels are one row of " +
                       classes + " a sample"
                 : "check the number of classes");
    return merge(without_last(z), without_last(t));
  }
  check_dtype(c, labels, DType::i32, "the labels");
  if (!agree(without_last(z), t))
    c.fail("class indices are " + t.str() + " for predictions of " + z.str() + "; expected " +
               without_last(z).str(),
           agree(z, t) ? "one-hot rows must be floating; integers are class indices, one a sample"
                       : "give one class index a sample");
  return merge(without_last(z), t);
}

/// The smoothed target of one row, from either kind of label.
template <class T>
class Target {
 public:
  Target(const TensorRef& labels, const Attrs& attrs, i64 classes)
      : smoothing_(attrs.real("label_smoothing", 0)),
        ignores_(attrs.has("ignore_index")),
        ignored_(attrs.integer("ignore_index", 0)),
        classes_(classes) {
    if (is_floating(labels.dtype))
      rows_ = labels.as<const T>();
    else
      indices_ = labels.as<const std::int32_t>();
  }
  /// False where the label is the ignored one, or no class: then the status word is written.
  bool select(i64 row, i64 rows_per_sample, StepScalars& scalars) {
    row_ = row;
    if (!indices_) return true;
    const std::int32_t label = indices_[row];
    if (ignores_ && label == ignored_) return false;
    if (label >= 0 && label < classes_) return true;
    if (scalars.code == status_ok) {
      scalars.code = status_label_range;
      scalars.row = scalars.first_sample + row / rows_per_sample;
      scalars.value = label;
    }
    return false;
  }
  double operator()(i64 j) const {
    const double target =
        indices_ ? (indices_[row_] == j ? 1 : 0) : double{rows_[row_ * classes_ + j]};
    return (1 - smoothing_) * target + smoothing_ / static_cast<double>(classes_);
  }
  double sum() const {
    if (indices_) return 1;
    double total = 0;
    for (i64 j = 0; j < classes_; ++j) total += (*this)(j);
    return total;
  }

 private:
  const std::int32_t* indices_ = nullptr;
  const T* rows_ = nullptr;
  double smoothing_;
  bool ignores_;
  i64 ignored_, classes_, row_ = 0;
};

inline i64 rows_per_sample(const Shape& loss) {
  i64 rows = 1;
  for (int i = 1; i < loss.rank(); ++i) rows *= loss[i];
  return rows;
}

inline Attrs smoothing(double value) { return {{"label_smoothing", value}}; }
inline Attrs ignoring(i64 index, double value = 0) {
  return {{"label_smoothing", value}, {"ignore_index", index}};
}

}  // namespace goneuron
