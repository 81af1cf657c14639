// Optimizer updates: checks, and the loop that does nothing once the step has found bad values.
#pragma once

#include <cstring>

#include "ops/common.h"

namespace goneuron {

/// Parameter, gradient and slots have one dtype and one shape.
inline TensorType check_update(const InferContext& c) {
  TensorType type = c.inputs[0];
  for (int i = 0; i < static_cast<int>(c.inputs.size()); ++i) {
    check_floating(c, {0, i});
    type.shape = check_same_shape(c, 0, i);
  }
  return type;
}

/// The variables as they were: output k is the k-th mutated input.
inline void keep_variables(const KernelArgs& args, std::initializer_list<size_t> mutated) {
  size_t k = 0;
  for (const size_t i : mutated) {
    const TensorRef &from = args.inputs[i], &to = args.outputs[k++];
    if (from.data != to.data)
      std::memcpy(to.data, from.data, static_cast<size_t>(from.size() * dtype_size(from.dtype)));
  }
}

inline constexpr Gradient no_update_gradient =
    Gradient::none("an optimizer update is the end of a step");

}  // namespace goneuron
