// Perplexity: exp(mean cross-entropy), and BitsPerCharacter: mean cross-entropy / log 2, over every
// target that counts.
#include <cmath>

#include "graph/layer_impl.h"
#include "train/losses/cross_entropy_terms.h"
#include "train/losses/targets.h"
#include "train/metrics/accumulators.h"
#include "train/metrics/evidence.h"

namespace goneuron {

namespace {

constexpr const char* log_names[] = {"perplexity", "bits_per_character"};

class ExpMean : public Accumulator {
 public:
  /// {in bits}; rows {value, weight}
  explicit ExpMean(const Numbers& n) : numbers_(n), bits_(n[0] != 0) {}

  i64 width() const override { return 2; }
  void reset() override { sum_ = weight_ = 0; }
  void add(const float* evidence, i64 rows) override {
    for (i64 i = 0; i < rows; ++i) {
      const auto weight = double{evidence[2 * i + 1]};
      if (weight != 0) sum_ += weight * double{evidence[2 * i]}, weight_ += weight;
    }
  }
  void finish(double* numbers) override {
    const double mean = weight_ > 0 ? sum_ / weight_ : 0;
    numbers[0] = bits_ ? mean / std::log(2.0) : std::exp(mean);
  }
  std::vector<double> state() const override { return {sum_, weight_}; }
  void restore(const std::vector<double>& state) override {
    need_state(state, 2);
    sum_ = state[0], weight_ = state[1];
  }
  std::string spec() const override { return spec_text("exp_mean", numbers_); }

 private:
  Numbers numbers_;
  bool bits_;
  double sum_ = 0, weight_ = 0;
};

EvidenceFunction perplexity_of(bool bits, const PerplexityOptions& options) {
  return [=](const Symbol& y_true, const Symbol& y_pred) {
    const CrossEntropyTerms terms = cross_entropy_terms(
        bits ? "BitsPerCharacter" : "Perplexity", y_true, y_pred,
        {.ignore_index = options.ignore_index, .from_logits = options.from_logits});
    const Symbol weight = terms.mask ? terms.mask : terms.losses * 0.0 + 1.0;
    return evidence_of(columns({terms.losses, weight}), exp_mean, {bits ? 1.0 : 0.0});
  };
}

}  // namespace

std::unique_ptr<Accumulator> exp_mean(const Numbers& n) {
  return n.size() == 1 ? std::make_unique<ExpMean>(n) : nullptr;
}

PerplexityMetric::PerplexityMetric(bool bits)
    : Metric(log_names[bits ? 1 : 0], perplexity_of(bits, {}), {}) {}

Metric PerplexityMetric::operator()(const PerplexityOptions& options, Site site) const {
  const bool bits = name() == log_names[1];
  require_index(bits ? "BitsPerCharacter" : "Perplexity", options.ignore_index, site);
  return {name().c_str(), perplexity_of(bits, options), site};
}

const PerplexityMetric Perplexity(false), BitsPerCharacter(true);

}  // namespace goneuron
