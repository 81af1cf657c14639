// The losses and metrics that layers add while they are called, as a training step needs them.
// Used when the training graph is made.
#pragma once

#include <string>
#include <vector>

#include "graph/expr.h"

namespace goneuron {

struct AddedTerms {
  Symbol loss;                     // the weighted sum; empty when there is none
  std::vector<std::string> names;  // what is logged: losses (the sum over layers), then metrics
  std::vector<Symbol> values;      // (the average over layers), each name once
};

/// Of the layers that `outputs` depend on.
AddedTerms added_terms(const std::vector<Symbol>& outputs);

}  // namespace goneuron
