// First values of weights: a function of initializer, fans, seed and stream alone.
// Used by Model when it gives its variables memory.
#pragma once

#include <cstdint>

#include "graph/expr.h"

namespace goneuron {

/// Fills `variable.value` (f32, of the variable's shape) by its Initializer. Element e depends on
/// seed, stream and e only. `stream` sets apart the variables of one model.
void initialize(Variable& variable, std::uint64_t seed, std::uint32_t stream);

}  // namespace goneuron
