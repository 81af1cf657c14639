#include "graph/initialize.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/message.h"
#include "core/rng.h"

namespace goneuron {

namespace {
// No training step has this number, so weights never share random words with a dropout mask.
constexpr std::uint32_t init_step = 0xFFFFFFFF;

struct Random {
  std::uint64_t seed;
  std::uint32_t stream;
  Philox4 words(i64 group) const {
    return philox_at(static_cast<std::uint64_t>(group), stream, init_step, seed);
  }
};

void fill_uniform(float* out, i64 count, double low, double high, const Random& random) {
  for (i64 i = 0; i < count; i += 4) {
    const Philox4 words = random.words(i / 4);
    for (i64 k = 0; k < std::min<i64>(4, count - i); ++k)
      out[i + k] = static_cast<float>(low + (high - low) * to_unit(words[static_cast<size_t>(k)]));
  }
}

/// Box & Muller 1958: two words give two normal numbers.
void fill_normal(float* out, i64 count, double mean, double stddev, const Random& random) {
  for (i64 i = 0; i < count; i += 2) {
    const Philox4 words = random.words(i / 4);
    const auto half = static_cast<size_t>(i % 4);
    const double u = (words[half] + 1.0) * 0x1p-32;  // in (0, 1]: its logarithm is finite
    const double angle = 2 * std::numbers::pi * words[half + 1] * 0x1p-32;
    const double radius = stddev * std::sqrt(-2 * std::log(u));
    out[i] = static_cast<float>(mean + radius * std::cos(angle));
    if (i + 1 < count) out[i + 1] = static_cast<float>(mean + radius * std::sin(angle));
  }
}
}  // namespace

void initialize(Variable& variable, std::uint64_t seed, std::uint32_t stream) {
  if (!(variable.value.shape() == variable.type.shape) || variable.value.dtype() != DType::f32)
    throw_graph({.where = "the weight \"" + variable.full_name() + "\"",
                 .what = "it has no f32 memory of " + variable.type.shape.str() + " yet",
                 .hint = "build() the model first"});
  variable.drawn = true;
  using Kind = Initializer::Kind;
  float* out = variable.value.data<float>();
  const i64 count = variable.value.size();
  const Random random{seed, stream};
  const auto& [kind, a, b] = variable.init;
  const double in = static_cast<double>(std::max<i64>(variable.fan_in, 1));
  const double both = in + static_cast<double>(std::max<i64>(variable.fan_out, 1));
  const auto uniform = [&](double limit) { fill_uniform(out, count, -limit, limit, random); };
  switch (kind) {
    case Kind::zeros:
      std::fill_n(out, count, 0.0F);
      break;
    case Kind::ones:
      std::fill_n(out, count, 1.0F);
      break;
    case Kind::constant:
      std::fill_n(out, count, static_cast<float>(a));
      break;
    case Kind::uniform:
      fill_uniform(out, count, a, b, random);
      break;
    case Kind::normal:
      fill_normal(out, count, a, b, random);
      break;
    case Kind::glorot_uniform:
      uniform(std::sqrt(6 / both));
      break;
    case Kind::glorot_normal:
      fill_normal(out, count, 0, std::sqrt(2 / both), random);
      break;
    case Kind::he_uniform:
      uniform(std::sqrt(6 / in));
      break;
    case Kind::he_normal:
      fill_normal(out, count, 0, std::sqrt(2 / in), random);
      break;
    case Kind::torch_default:
      uniform(1 / std::sqrt(in));
      break;
  }
}

}  // namespace goneuron
