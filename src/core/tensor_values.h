// Elements of any dtype as doubles, a run at a time.
// Used by Tensor for everything that must work on every dtype.
#pragma once

#include "goneuron/shape.h"

namespace goneuron {

/// Elements [first, first + count) of `memory` as doubles, exactly.
void load_values(const void* memory, DType dtype, i64 first, i64 count, double* out);
/// The opposite: rounded to nearest, whole numbers saturated at their type's ends, NaN as 0 there.
void store_values(const double* values, i64 first, i64 count, void* memory, DType dtype);

}  // namespace goneuron
