// The order in which top_k picks: shared by its reference and its faster kernel.
#pragma once

#include <cmath>

#include "goneuron/shape.h"

namespace goneuron {

/// True when element i of a row is picked before element j: the larger first, NaN before numbers,
/// the first among equals.
template <class T>
bool picked_before(const T* x, i64 i, i64 j) {
  if (x[i] > x[j]) return true;
  if (x[i] < x[j]) return false;
  const bool a = std::isnan(x[i]), b = std::isnan(x[j]);
  return a == b ? i < j : a;
}

/// The element that is picked after `last` (the first of all when it is -1).
template <class T>
i64 next_pick(const T* x, i64 n, i64 last) {
  i64 best = -1;
  for (i64 i = 0; i < n; ++i)
    if (i != last && (last < 0 || picked_before(x, last, i)) &&
        (best < 0 || picked_before(x, i, best)))
      best = i;
  return best;
}

}  // namespace goneuron
