// Checks that the batch norm ops share.
#pragma once

#include "ops/common.h"

namespace goneuron {

/// x is input 0, [.., c]; the inputs `which` are [c]. Gives the type of a channel vector.
inline TensorType check_channels(const InferContext& c, std::initializer_list<int> which) {
  check_real(c, "epsilon", 0, huge);
  check_last_axis(c, 0);
  const TensorType channel{Shape{c.shape(0)[-1]}, check_floating(c, {0})};
  for (const int i : which) {
    check_floating(c, {0, i});
    check_shape(c, i, channel.shape, "input " + std::to_string(i + 1));
  }
  return channel;
}

inline Attrs epsilon_attrs(double value) { return {{"epsilon", value}}; }

}  // namespace goneuron
