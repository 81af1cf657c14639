// ConfusionMatrix: how often each class is taken for each; and the tensor made of the logs.
#include <algorithm>

#include "core/message.h"
#include "graph/layer_impl.h"
#include "train/losses/targets.h"
#include "train/metrics/accumulators.h"
#include "train/metrics/evidence.h"

namespace goneuron {

namespace {

// Each pair is a number of the logs, of the validation too; a checkpoint holds a thousand names.
constexpr i64 most_classes = 22;

std::string pair_name(size_t target, size_t predicted) {
  return "[" + std::to_string(target) + "," + std::to_string(predicted) + "]";
}

class ConfusionCounts : public Accumulator {
 public:
  /// {classes, one output, threshold, has ignored, ignored}
  explicit ConfusionCounts(const Numbers& n)
      : numbers_(n),
        classes_(static_cast<size_t>(n[0])),
        single_(n[1] != 0),
        threshold_(static_cast<float>(n[2])),
        ignores_(n[3] != 0),
        ignored_(static_cast<float>(n[4])),
        counts_(classes_ * classes_) {}

  std::vector<std::string> suffixes() const override {
    std::vector<std::string> all;
    for (size_t i = 0; i < classes_; ++i)
      for (size_t j = 0; j < classes_; ++j) all.push_back(pair_name(i, j));
    return all;
  }
  i64 width() const override { return 2; }
  void reset() override { std::fill(counts_.begin(), counts_.end(), 0.0); }
  void add(const float* evidence, i64 rows) override {
    for (i64 i = 0; i < rows; ++i) {
      float target = evidence[2 * i], output = evidence[2 * i + 1];
      if (ignores_ && target == ignored_) continue;
      if (single_) target = target > 0.5F ? 1 : 0, output = output > threshold_ ? 1 : 0;
      const auto known = [&](float c) { return c >= 0 && c < static_cast<float>(classes_); };
      if (!known(target) || !known(output)) continue;  // a label that is no class has no row
      counts_[static_cast<size_t>(target) * classes_ + static_cast<size_t>(output)] += 1;
    }
  }
  void finish(double* numbers) override { std::copy(counts_.begin(), counts_.end(), numbers); }
  std::vector<double> state() const override { return counts_; }
  void restore(const std::vector<double>& state) override {
    need_state(state, counts_.size());
    std::copy_n(state.begin(), counts_.size(), counts_.begin());
  }
  std::string spec() const override { return spec_text("confusion_counts", numbers_); }

 private:
  Numbers numbers_;
  size_t classes_;
  bool single_;
  float threshold_;
  bool ignores_;
  float ignored_;
  std::vector<double> counts_;
};

Evidence confusion_of(const Symbol& y_true, const Symbol& y_pred,
                      const ConfusionMatrixOptions& options) {
  const ClassRows rows = class_rows("ConfusionMatrix", y_true, y_pred, false);
  const i64 classes = rows.each ? 2 : rows.classes;
  if (classes > most_classes)
    throw_shape({.where = "ConfusionMatrix",
                 .what = "predictions are " + y_pred.shape().str() + "; expected at most " +
                         std::to_string(most_classes) + " classes, for each pair is a number",
                 .hint = "use F1Score({.average = PerClass}); HTMLReport shows the matrix of up to "
                         "64 classes"});
  return evidence_of(
      rows.rows, confusion_counts,
      {static_cast<double>(classes), rows.each ? 1.0 : 0.0, options.threshold,
       options.ignore_index ? 1.0 : 0.0, static_cast<double>(options.ignore_index.value_or(0))});
}

}  // namespace

std::unique_ptr<Accumulator> confusion_counts(const Numbers& n) {
  const bool good = n.size() == 5 && n[0] >= 1 && n[0] <= most_classes && (n[1] == 0 || n[0] == 2);
  return good ? std::make_unique<ConfusionCounts>(n) : nullptr;
}

ConfusionMatrixMetric::ConfusionMatrixMetric()
    : Metric("confusion_matrix",
             [](const Symbol& y_true, const Symbol& y_pred) {
               return confusion_of(y_true, y_pred, {});
             },
             {}) {}

Metric ConfusionMatrixMetric::operator()(const ConfusionMatrixOptions& options, Site site) const {
  require_index("ConfusionMatrix", options.ignore_index, site);
  require_threshold("ConfusionMatrix", options.threshold, site);
  return {name().c_str(),
          [=](const Symbol& y_true, const Symbol& y_pred) {
            return confusion_of(y_true, y_pred, options);
          },
          site};
}

const ConfusionMatrixMetric ConfusionMatrix;

Tensor confusion_matrix(const Logs& logs, const std::string& prefix, Site site) {
  const std::string name = prefix + "confusion_matrix";
  size_t classes = 0;
  while (logs.has(name + pair_name(classes, classes))) ++classes;
  if (classes == 0)
    throw_graph({.where = user_place("confusion_matrix", site),
                 .what = "the logs have no \"" + name +
                         "[0,0]\"; expected those of a "
                         "ConfusionMatrix",
                 .hint = "compile(.., {ConfusionMatrix}); those of the validation begin with "
                         "\"val_\""});
  const auto n = static_cast<i64>(classes);
  Tensor counts(Shape{n, n}, DType::f64);
  for (size_t i = 0; i < classes; ++i)
    for (size_t j = 0; j < classes; ++j)
      counts.data<double>()[i * classes + j] = logs[name + pair_name(i, j)];
  return counts;
}

}  // namespace goneuron
