// The values of symbols by the reference kernels, and the updates of variables that ops stand for.
// Used by the golden tests that compare with PyTorch to more digits than f32 has.
#pragma once

#include "golden_layer.h"
#include "graph/evaluate.h"

namespace goneuron::golden {

inline std::vector<Tensor> compute(const std::vector<Symbol>& outputs, const Feeds& feeds,
                                   DType precision, StepScalars scalars = {}) {
  return evaluate(outputs, feeds, precision, scalars);
}

/// Runs ops that mutate variables, and writes what they give into the variables.
inline void apply(const std::vector<Symbol>& updates, const Feeds& feeds, DType precision,
                  const StepScalars& scalars = {}) {
  std::vector<Symbol> outputs;
  std::vector<std::shared_ptr<Variable>> variables;
  for (const Symbol& update : updates)
    for (size_t i = 0; i < update.expr()->inputs.size(); ++i)
      if ((update.expr()->op->mutates >> i & 1U) != 0) {
        int earlier = 0;  // output k is the k-th variable that the op writes
        for (size_t j = 0; j < i; ++j)
          earlier += static_cast<int>(update.expr()->op->mutates >> j & 1U);
        outputs.push_back(output_of(update, earlier));
        variables.push_back(update.expr()->inputs[i].expr()->variable);
      }
  const std::vector<Tensor> values = compute(outputs, feeds, precision, scalars);
  for (size_t i = 0; i < values.size(); ++i) variables[i]->value = values[i];
}

}  // namespace goneuron::golden
