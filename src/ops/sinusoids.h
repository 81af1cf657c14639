// The numbers of sinusoidal positions; for the op's reference kernel and for tables of them.
#pragma once

#include "ops/common.h"

namespace goneuron {

/// Feature `feature` of `width` at step `position` (Vaswani et al. 2017, section 3.5).
inline double sinusoid(i64 position, i64 feature, i64 width) {
  const double pair = static_cast<double>(feature - feature % 2) / static_cast<double>(width);
  const double angle = static_cast<double>(position) * std::pow(10000.0, -pair);
  return feature % 2 == 0 ? std::sin(angle) : std::cos(angle);
}

}  // namespace goneuron
