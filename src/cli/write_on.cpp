#include "cli/write_on.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "config/text_vocabulary.h"
#include "core/message.h"

namespace goneuron::cli {
namespace {

/// The next token by the model's shares, sharpened by the temperature.
std::int32_t draw(const float* shares, i64 count, double temperature, std::mt19937_64& random) {
  if (temperature == 0)
    return static_cast<std::int32_t>(std::max_element(shares, shares + count) - shares);
  std::vector<double> weights(static_cast<size_t>(count));
  for (i64 i = 0; i < count; ++i)
    weights[static_cast<size_t>(i)] = std::pow(std::max(shares[i], 1e-12F), 1 / temperature);
  return static_cast<std::int32_t>(
      std::discrete_distribution<i64>(weights.begin(), weights.end())(random));
}

}  // namespace

bool is_text_run(const Run& run) { return run.preprocessing.rfind('[', 0) == 0; }

std::string written_on(const Run& run, const std::string& beginning,
                       const PredictOptions& options) {
  const data::Vocabulary vocabulary = config::kept_vocabulary(run.preprocessing);
  const i64 context = run.model.input().shape()[1];
  const UserCall place("the beginning", {}, true);
  const Tensor given = vocabulary.encode(beginning.empty() ? vocabulary[0] : beginning, {});
  std::vector<std::int32_t> text(given.data<std::int32_t>(),
                                 given.data<std::int32_t>() + given.size());
  std::mt19937_64 random(options.seed);
  std::string out;
  for (long long n = 0; n < options.length; ++n) {
    const i64 used = std::min<i64>(context, static_cast<i64>(text.size()));
    // The text stands at the front: a causal model does not look at what is behind it.
    Tensor window(Shape{1, context}, DType::i32);
    std::copy(text.end() - used, text.end(), window.data<std::int32_t>());
    const Tensor shares = run.model.predict(window);
    const i64 kinds = shares.shape()[-1];
    const std::int32_t next =
        draw(shares.data() + (used - 1) * kinds, kinds, options.temperature, random);
    text.push_back(next);
    out += vocabulary[next];
  }
  return out;
}

}  // namespace goneuron::cli
