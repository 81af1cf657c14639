// Optimizer updates: checks, and the loop that does nothing once the step has found bad values.
#pragma once

#include <cstring>

#include "ops/common.h"

namespace goneuron {

/// Parameter, gradient and slots have one dtype and one shape; input `scale`, if any, is a scalar.
inline TensorType check_update(const InferContext& c, int scale = -1) {
  TensorType type = c.inputs[0];
  for (int i = 0; i < static_cast<int>(c.inputs.size()); ++i) {
    check_floating(c, {0, i});
    if (i == scale) {
      check_shape(c, i, Shape{}, "the scale of the gradient");
      continue;
    }
    type.shape = check_same_shape(c, 0, i);
  }
  return type;
}

/// What every optimizer has: its part of the learning rate, and a bound for gradients; 0 is none.
inline void check_rate(const InferContext& c) {
  if (c.attrs.has("rate_scale")) check_real(c, "rate_scale", 0, huge);
  if (c.attrs.has("clip_value")) check_real(c, "clip_value", 0, huge);
}
inline double scaled_rate(const KernelArgs& args) {
  return args.scalars.learning_rate * args.attrs.real("rate_scale", 1);
}

/// A gradient as the update takes it: times input `scale`, if there is one, within clip_value.
template <class T>
struct Clip {
  Clip(const KernelArgs& args, int scale)
      : scale(scale < 0 ? 1 : double{*input<T>(args, static_cast<size_t>(scale))}),
        bound(args.attrs.real("clip_value", 0)) {}
  double operator()(T gradient) const {
    const double g = double{gradient} * scale;
    return bound > 0 && std::fabs(g) > bound ? std::copysign(bound, g) : g;
  }
  double scale, bound;
};

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
