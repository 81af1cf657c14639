// Which value a step was refused for: found again on the batch, once check_range has set the status
// word to status_value_range. Used by diagnose().
#pragma once

#include "train/diagnose.h"

namespace goneuron {

/// Throws DataError: the row, place and value of the first target or prediction that the loss, a
/// metric or class_weight takes from 0 to 1 alone.
[[noreturn]] void refuse_value(const Refused& step,
                               const std::vector<std::pair<Symbol, Tensor>>& batch);

}  // namespace goneuron
