// MeanSquaredError, RootMeanSquaredError, R2Score: sums of squares in double precision.
#include <cmath>

#include "goneuron/metric.h"
#include "train/metrics/accumulators.h"
#include "train/metrics/evidence.h"
#include "train/metrics/functions.h"

namespace goneuron {

namespace {

enum Measure { mse, rmse, r2 };
constexpr i64 most_outputs = i64{1} << 24;

class Residuals : public Accumulator {
 public:
  /// {measure, outputs}
  explicit Residuals(const Numbers& n)
      : numbers_(n),
        measure_(static_cast<Measure>(n[0])),
        sums_(measure_ == r2 ? static_cast<size_t>(n[1]) : 1) {}

  i64 width() const override { return 2; }
  void reset() override { std::fill(sums_.begin(), sums_.end(), Sums{}); }
  void add(const float* evidence, i64 rows) override {
    const auto outputs = static_cast<i64>(sums_.size());
    for (i64 i = 0; i < rows; ++i) {
      Sums& s = sums_[static_cast<size_t>(i % outputs)];
      const double y = double{evidence[2 * i]}, off = y - double{evidence[2 * i + 1]};
      s.squares += off * off;
      // Differences from the first target: a large mean takes nothing from the spread.
      if (s.count == 0) s.first = y;
      s.count += 1;
      s.sum += y - s.first;
      s.sum_squares += (y - s.first) * (y - s.first);
    }
  }
  void finish(double* numbers) override {
    if (measure_ != r2) {
      const double mean = sums_[0].count > 0 ? sums_[0].squares / sums_[0].count : 0;
      numbers[0] = measure_ == mse ? mean : std::sqrt(mean);
      return;
    }
    double sum = 0;
    for (const Sums& s : sums_) {
      const double spread = s.count > 0 ? s.sum_squares - s.sum * s.sum / s.count : 0;
      // Of targets that are all equal: 1 where they are met, else 0.
      sum += spread > 0 ? 1 - s.squares / spread : s.squares == 0 ? 1 : 0;
    }
    numbers[0] = sum / static_cast<double>(sums_.size());
  }
  std::vector<double> state() const override {
    std::vector<double> all;
    for (const Sums& s : sums_)
      for (const double x : {s.count, s.squares, s.first, s.sum, s.sum_squares}) all.push_back(x);
    return all;
  }
  void restore(const std::vector<double>& state) override {
    need_state(state, 5 * sums_.size());
    const double* at = state.data();
    for (Sums& s : sums_) s = {at[0], at[1], at[2], at[3], at[4]}, at += 5;
  }
  std::string spec() const override { return spec_text("residuals", numbers_); }

 private:
  struct Sums {
    double count = 0, squares = 0, first = 0, sum = 0, sum_squares = 0;
  };
  Numbers numbers_;
  Measure measure_;
  std::vector<Sums> sums_;
};

Evidence residuals_of(const char* name, Measure measure, const Symbol& y_true,
                      const Symbol& y_pred) {
  const Shape& shape = y_pred.shape();
  const i64 outputs = shape.rank() < 2 || shape[-1] == Any ? 1 : shape[-1];
  return evidence_of(value_rows(name, y_true, y_pred), residuals,
                     {static_cast<double>(measure), static_cast<double>(outputs)});
}

}  // namespace

std::unique_ptr<Accumulator> residuals(const Numbers& n) {
  const bool good = n.size() == 2 && n[0] >= 0 && n[0] <= 2 && n[1] >= 1 && n[1] <= most_outputs;
  return good ? std::make_unique<Residuals>(n) : nullptr;
}

Evidence mean_squared_error(const Symbol& y_true, const Symbol& y_pred) {
  return residuals_of("MeanSquaredError", mse, y_true, y_pred);
}
Evidence root_mean_squared_error(const Symbol& y_true, const Symbol& y_pred) {
  return residuals_of("RootMeanSquaredError", rmse, y_true, y_pred);
}
Evidence r2_score(const Symbol& y_true, const Symbol& y_pred) {
  return residuals_of("R2Score", r2, y_true, y_pred);
}

const Metric MeanSquaredError("mean_squared_error", mean_squared_error, {});
const Metric RootMeanSquaredError("root_mean_squared_error", root_mean_squared_error, {});
const Metric R2Score("r2_score", r2_score, {});

}  // namespace goneuron
