// The symmetric Beta distribution, as a quotient of Gamma ones (Marsaglia and Tsang, 2000).
#include <cmath>

#include "data/augment/frame.h"

namespace goneuron::data {

namespace {

double gamma(double alpha, SampleRandom& random) {
  // Below 1: one more, times a power of a uniform number.
  if (alpha < 1) return gamma(alpha + 1, random) * std::pow(1 - random.uniform(), 1 / alpha);
  const double d = alpha - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = normal(random), v = std::pow(1 + c * x, 3);
    const double u = 1 - random.uniform();
    if (v > 0 && std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

}  // namespace

double beta(double alpha, SampleRandom& random) {
  const double a = gamma(alpha, random), b = gamma(alpha, random);
  // Both underflow where alpha is tiny: then one side has it all.
  if (!(a + b > 0)) return (random() >> 31) != 0 ? 1 : 0;
  return a / (a + b);
}

}  // namespace goneuron::data
