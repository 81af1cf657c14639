// AUC: areas under the ROC and the precision-recall curve, exact, from every score of the epoch.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/message.h"
#include "goneuron/functions.h"
#include "graph/layer_impl.h"
#include "train/losses/targets.h"
#include "train/metrics/accumulators.h"
#include "train/metrics/evidence.h"

namespace goneuron {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr i64 most_classes = i64{1} << 20;

struct Scored {
  float score;
  bool positive;
};

/// Pairs of a positive and a negative in the right order, ties half, of all such pairs.
double area_of_roc(const std::vector<Scored>& ascending, double positives, double negatives) {
  double right = 0, below = 0;
  for (size_t i = 0; i < ascending.size();) {
    double group[2] = {0, 0};
    size_t j = i;
    for (; j < ascending.size() && ascending[j].score == ascending[i].score; ++j)
      group[ascending[j].positive ? 1 : 0] += 1;
    right += group[1] * (below + 0.5 * group[0]);
    below += group[0];
    i = j;
  }
  return right / (positives * negatives);
}

/// Sum over the thresholds, from the highest, of precision x step in recall.
double average_precision(const std::vector<Scored>& ascending, double positives) {
  double sum = 0, found = 0;
  for (size_t i = ascending.size(); i > 0;) {
    double step = 0;
    size_t j = i;
    for (; j > 0 && ascending[j - 1].score == ascending[i - 1].score; --j)
      step += ascending[j - 1].positive;
    found += step;
    sum += step * found / static_cast<double>(ascending.size() - j);
    i = j;
  }
  return sum / positives;
}

class RankedScores : public Accumulator {
 public:
  /// {curve, per class, classes, each output apart, has ignored, ignored}
  explicit RankedScores(const Numbers& n)
      : numbers_(n),
        roc_(n[0] == 0),
        per_class_(n[1] != 0),
        each_(n[3] != 0),
        ignores_(n[4] != 0),
        ignored_(static_cast<float>(n[5])),
        scores_(static_cast<size_t>(n[2])) {}

  std::vector<std::string> suffixes() const override {
    if (!per_class_) return {""};
    std::vector<std::string> all;
    for (size_t c = 0; c < scores_.size(); ++c) all.push_back("_" + std::to_string(c));
    return all;
  }
  i64 width() const override { return each_ ? 2 : 1 + static_cast<i64>(scores_.size()); }
  void reset() override {
    for (auto& scores : scores_) scores.clear();  // the memory stays
  }
  void add(const float* evidence, i64 rows) override {
    const auto classes = static_cast<i64>(scores_.size());
    for (i64 i = 0; i < rows; ++i) {
      const float* row = evidence + i * (each_ ? 2 : 1 + classes);
      if (ignores_ && row[0] == ignored_) continue;
      if (each_) {
        scores_[static_cast<size_t>(i % classes)].push_back({row[1], row[0] > 0.5F});
        continue;
      }
      for (i64 c = 0; c < classes; ++c)
        scores_[static_cast<size_t>(c)].push_back({row[1 + c], row[0] == static_cast<float>(c)});
    }
  }
  bool slow() const override { return true; }
  void finish(double* numbers) override {
    double sum = 0;
    for (size_t c = 0; c < scores_.size(); ++c) {
      const double area = area_of(scores_[c]);
      sum += area;
      if (per_class_) numbers[c] = area;
    }
    if (!per_class_) numbers[0] = sum / static_cast<double>(scores_.size());
  }

  std::vector<double> state() const override {
    std::vector<double> all;
    for (const auto& scores : scores_) {
      all.push_back(static_cast<double>(scores.size()));
      for (const Scored& one : scores) {
        all.push_back(double{one.score});
        all.push_back(one.positive ? 1 : 0);
      }
    }
    return all;
  }
  void restore(const std::vector<double>& state) override {
    size_t at = 0;
    for (auto& scores : scores_) {
      const double left = at < state.size() ? state[at++] : -1;
      if (!(left >= 0 && left <= static_cast<double>((state.size() - at) / 2)))
        need_state(state, state.size() + 1);  // it ends early
      scores.clear();
      for (double i = 0; i < left; ++i, at += 2)
        scores.push_back({static_cast<float>(state[at]), state[at + 1] != 0});
    }
    need_state(state, at);
  }
  std::string spec() const override { return spec_text("ranked_scores", numbers_); }

 private:
  double area_of(std::vector<Scored>& scores) const {
    // In place: the order of the rows does not count.
    std::sort(scores.begin(), scores.end(),
              [](const Scored& a, const Scored& b) { return a.score < b.score; });
    const auto positives = static_cast<double>(std::count_if(
        scores.begin(), scores.end(), [](const Scored& one) { return one.positive; }));
    const double negatives = static_cast<double>(scores.size()) - positives;
    if (positives == 0 || (roc_ && negatives == 0)) return nan;
    return roc_ ? area_of_roc(scores, positives, negatives) : average_precision(scores, positives);
  }

  Numbers numbers_;
  bool roc_, per_class_, each_, ignores_;
  float ignored_;
  std::vector<std::vector<Scored>> scores_;  // by class
};

Evidence auc_of(const Symbol& y_true, const Symbol& y_pred, const AUCOptions& options) {
  const Symbol labels = labels_apart(y_pred, {}) ? Symbol() : class_targets("AUC", y_true, y_pred);
  // One-hot rows are as good as labels apart.
  const bool each = !labels || is_floating(labels.dtype());
  const i64 classes = y_pred.shape().rank() < 2 ? 1 : y_pred.shape()[-1];
  Symbol rows;
  if (each)
    rows = value_rows("AUC", y_true, y_pred);
  else
    rows = concat({cast(class_index(labels, y_pred), DType::f32, {}), y_pred}, -1, {});
  return evidence_of(
      rows, ranked_scores,
      {options.curve == ROC ? 0.0 : 1.0, options.per_class ? 1.0 : 0.0,
       static_cast<double>(classes), each ? 1.0 : 0.0, options.ignore_index ? 1.0 : 0.0,
       static_cast<double>(options.ignore_index.value_or(0))});
}

}  // namespace

std::unique_ptr<Accumulator> ranked_scores(const Numbers& n) {
  const bool good = n.size() == 6 && n[2] >= 1 && n[2] <= most_classes;
  return good ? std::make_unique<RankedScores>(n) : nullptr;
}

AUCMetric::AUCMetric()
    : Metric("auc",
             [](const Symbol& y_true, const Symbol& y_pred) { return auc_of(y_true, y_pred, {}); },
             {}) {}

Metric AUCMetric::operator()(const AUCOptions& options, Site site) const {
  require_index("AUC", options.ignore_index, site);
  return {
      name_or(options.name, "auc"),
      [=](const Symbol& y_true, const Symbol& y_pred) { return auc_of(y_true, y_pred, options); },
      site};
}

const AUCMetric AUC;

}  // namespace goneuron
