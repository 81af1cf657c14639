// Cutout: a square of 0 about any pixel (https://arxiv.org/abs/1708.04552).
#include <algorithm>

#include "data/augment/frame.h"

namespace goneuron::data {

void cut_out(Frame& frame, i64 side, SampleRandom random) {
  const auto y = static_cast<i64>(random.uniform(0, static_cast<double>(frame.height))),
             x = static_cast<i64>(random.uniform(0, static_cast<double>(frame.width)));
  const i64 left = std::max<i64>(x - side / 2, 0),
            right = std::min(x - side / 2 + side, frame.width);
  for (i64 row = std::max<i64>(y - side / 2, 0); row < std::min(y - side / 2 + side, frame.height);
       ++row)
    std::fill_n(frame.values.data() + row * frame.row() + left * frame.channels,
                (right - left) * frame.channels, 0.0F);
}

}  // namespace goneuron::data
