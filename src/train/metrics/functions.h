// The functions behind the metrics that can be had by name; each gives one number a sample,
// [batch].
#pragma once

#include "goneuron/symbol.h"

namespace goneuron {

Symbol accuracy(const Symbol& y_true, const Symbol& y_pred);
Symbol mean_absolute_error(const Symbol& y_true, const Symbol& y_pred);

}  // namespace goneuron
