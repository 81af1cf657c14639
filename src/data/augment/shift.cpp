// Shifts by whole pixels; padding and cropping is the same thing.
#include <algorithm>

#include "data/augment/frame.h"

namespace goneuron::data {

void shift(Frame& frame, i64 rows, i64 columns, SampleRandom random) {
  const auto within = [&](i64 most) {
    const double drawn = random.uniform(0, static_cast<double>(2 * most + 1));
    return std::min(static_cast<i64>(drawn), 2 * most) - most;
  };
  const i64 down = within(rows), right = within(columns);
  frame.spare.assign(frame.values.size(), 0.0F);
  const i64 width = frame.width - std::abs(right);
  for (i64 y = std::max<i64>(down, 0); y < frame.height + std::min<i64>(down, 0); ++y) {
    if (width <= 0) break;
    const float* from =
        frame.values.data() + (y - down) * frame.row() + std::max<i64>(-right, 0) * frame.channels;
    std::copy_n(from, width * frame.channels,
                frame.spare.data() + y * frame.row() + std::max<i64>(right, 0) * frame.channels);
  }
  frame.values.swap(frame.spare);
}

}  // namespace goneuron::data
