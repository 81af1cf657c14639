// Brightness and contrast.
#include <numeric>

#include "data/augment/frame.h"

namespace goneuron::data {

void change_light(Frame& frame, double brightness, double contrast, SampleRandom random) {
  const double added = random.uniform(-brightness, brightness);
  const double factor = random.uniform(1 - contrast, 1 + contrast);
  const double mean = std::accumulate(frame.values.begin(), frame.values.end(), 0.0) /
                      static_cast<double>(frame.values.size());
  for (float& value : frame.values)
    value = static_cast<float>((value - mean) * factor + mean + added);
}

}  // namespace goneuron::data
