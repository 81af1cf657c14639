// Flips: left and right, top and bottom.
#include <algorithm>

#include "data/augment/frame.h"

namespace goneuron::data {

void flip(Frame& frame, bool horizontal, bool vertical, SampleRandom random) {
  // Both are drawn whichever is on, so that one does not depend on the other.
  const bool left = (random() >> 31) != 0, top = (random() >> 31) != 0;
  if (horizontal && left)
    for (i64 y = 0; y < frame.height; ++y) {
      float* a = frame.values.data() + y * frame.row();
      for (float* b = a + frame.row() - frame.channels; a < b;
           a += frame.channels, b -= frame.channels)
        std::swap_ranges(a, a + frame.channels, b);
    }
  if (vertical && top)
    for (i64 y = 0; y < frame.height / 2; ++y) {
      float* a = frame.values.data() + y * frame.row();
      std::swap_ranges(a, a + frame.row(),
                       frame.values.data() + (frame.height - 1 - y) * frame.row());
    }
}

}  // namespace goneuron::data
