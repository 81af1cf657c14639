// Products and sums of sizes that throw ShapeError instead of wrapping around.
#pragma once

#include <cstddef>

#include "goneuron/shape.h"

namespace goneuron {

i64 checked_mul(i64 a, i64 b);
i64 checked_add(i64 a, i64 b);

inline i64 ceil_div(i64 a, i64 b) { return (a + b - 1) / b; }
inline i64 round_up(i64 a, i64 multiple) { return ceil_div(a, multiple) * multiple; }

}  // namespace goneuron
