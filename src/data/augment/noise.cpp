// Normal noise.
#include <cmath>

#include "data/augment/frame.h"

namespace goneuron::data {

double normal(SampleRandom& random) {
  // 1 - u is above 0, so that its logarithm is a number.
  const double radius = std::sqrt(-2 * std::log(1 - random.uniform()));
  return radius * std::cos(6.283185307179586 * random.uniform());
}

void add_noise(Frame& frame, double deviation, SampleRandom random) {
  for (float& value : frame.values) value += static_cast<float>(deviation * normal(random));
}

}  // namespace goneuron::data
