// Precision, Recall, F1Score: counts of right and wrong predictions of each class.
#include <cmath>

#include "core/message.h"
#include "graph/layer_impl.h"
#include "train/losses/targets.h"
#include "train/metrics/accumulators.h"
#include "train/metrics/evidence.h"

namespace goneuron {

namespace {

enum Measure { precision, recall, f_score };
constexpr const char* log_names[] = {"precision", "recall", "f1_score"};
constexpr const char* kinds[] = {"Precision", "Recall", "F1Score"};
constexpr i64 most_classes = i64{1} << 20;

struct Counts {
  double right = 0, predicted = 0, targets = 0;
};

class ClassCounts : public Accumulator {
 public:
  /// {measure, average, beta, classes, each output apart, threshold, has ignored, ignored}
  explicit ClassCounts(const Numbers& n)
      : numbers_(n),
        measure_(static_cast<Measure>(n[0])),
        average_(static_cast<Average>(n[1])),
        beta2_(n[2] * n[2]),
        each_(n[4] != 0),
        threshold_(static_cast<float>(n[5])),
        ignores_(n[6] != 0),
        ignored_(static_cast<float>(n[7])),
        counts_(static_cast<size_t>(n[3])) {}

  std::vector<std::string> suffixes() const override {
    if (average_ != Average::per_class) return {""};
    std::vector<std::string> all;
    for (size_t c = 0; c < counts_.size(); ++c) all.push_back("_" + std::to_string(c));
    return all;
  }
  i64 width() const override { return 2; }
  void reset() override { std::fill(counts_.begin(), counts_.end(), Counts{}); }

  void add(const float* evidence, i64 rows) override {
    const auto classes = static_cast<i64>(counts_.size());
    for (i64 i = 0; i < rows; ++i) {
      const float target = evidence[2 * i], output = evidence[2 * i + 1];
      if (ignores_ && target == ignored_) continue;
      if (each_) {
        Counts& c = counts_[static_cast<size_t>(i % classes)];
        const bool wanted = target > 0.5F, given = output > threshold_;
        c.right += wanted && given, c.predicted += given, c.targets += wanted;
        continue;
      }
      // A label that is no class is a wrong prediction; a loss on classes refuses it.
      if (target >= 0 && target < static_cast<float>(classes))
        counts_[static_cast<size_t>(target)].targets += 1;
      if (!(output >= 0 && output < static_cast<float>(classes))) continue;
      Counts& c = counts_[static_cast<size_t>(output)];
      c.predicted += 1, c.right += target == output;
    }
  }

  void finish(double* numbers) override {
    if (average_ == Average::per_class) {
      for (size_t c = 0; c < counts_.size(); ++c) numbers[c] = value(counts_[c]);
      return;
    }
    Counts all;
    double sum = 0, weights = 0;
    for (const Counts& c : counts_) {
      all.right += c.right, all.predicted += c.predicted, all.targets += c.targets;
      const double weight = average_ == Average::weighted ? c.targets : 1;
      sum += weight * value(c), weights += weight;
    }
    numbers[0] = average_ == Average::micro ? value(all) : weights > 0 ? sum / weights : 0;
  }

  std::vector<double> state() const override {
    std::vector<double> all;
    for (const Counts& c : counts_)
      for (const double number : {c.right, c.predicted, c.targets}) all.push_back(number);
    return all;
  }
  void restore(const std::vector<double>& state) override {
    need_state(state, 3 * counts_.size());
    for (size_t c = 0; c < counts_.size(); ++c)
      counts_[c] = {state[3 * c], state[3 * c + 1], state[3 * c + 2]};
  }
  std::string spec() const override { return spec_text("class_counts", numbers_); }

 private:
  double value(const Counts& c) const {
    if (measure_ == precision) return c.predicted > 0 ? c.right / c.predicted : 0;
    if (measure_ == recall) return c.targets > 0 ? c.right / c.targets : 0;
    // (1 + b^2) p r / (b^2 p + r), without the divisions by what may be 0.
    const double below = beta2_ * c.targets + c.predicted;
    return below > 0 ? (1 + beta2_) * c.right / below : 0;
  }

  Numbers numbers_;
  Measure measure_;
  Average average_;
  double beta2_;
  bool each_;
  float threshold_;
  bool ignores_;
  float ignored_;
  std::vector<Counts> counts_;
};

EvidenceFunction counted_by(Measure measure, const ClassMetricOptions& options) {
  return [=](const Symbol& y_true, const Symbol& y_pred) {
    const ClassRows rows = class_rows(kinds[measure], y_true, y_pred, options.multi_label);
    Average average = options.average;
    if (average == Average::automatic) average = Average::macro;  // of one class: itself
    return evidence_of(
        rows.rows, class_counts,
        {static_cast<double>(measure), static_cast<double>(average), options.beta,
         static_cast<double>(rows.classes), rows.each ? 1.0 : 0.0, options.threshold,
         options.ignore_index ? 1.0 : 0.0, static_cast<double>(options.ignore_index.value_or(0))});
  };
}

Measure measure_of(const std::string& name) {
  return name == log_names[precision] ? precision : name == log_names[recall] ? recall : f_score;
}

}  // namespace

std::unique_ptr<Accumulator> class_counts(const Numbers& n) {
  const bool good = n.size() == 8 && n[0] >= 0 && n[0] <= 2 && n[1] >= 1 && n[1] <= 4 &&
                    n[3] >= 1 && n[3] <= most_classes;
  return good ? std::make_unique<ClassCounts>(n) : nullptr;
}

ClassMetric::ClassMetric(const char* name)
    : Metric(name, counted_by(measure_of(name), ClassMetricOptions{}), {}) {}

Metric ClassMetric::operator()(const ClassMetricOptions& options, Site site) const {
  const Measure measure = measure_of(name());
  require_index(kinds[measure], options.ignore_index, site);
  require_threshold(kinds[measure], options.threshold, site);
  require(options.beta > 0 && std::isfinite(options.beta), kinds[measure], site,
          "a beta of " + number_text(options.beta) + "; expected a number above 0",
          "1 is F1; 2 counts recall twice as much as precision");
  return {name_or(options.name, log_names[measure]), counted_by(measure, options), site};
}

const ClassMetric Precision("precision"), Recall("recall"), F1Score("f1_score");

}  // namespace goneuron
