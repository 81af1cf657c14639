// Elementwise ops of one input, and gradient ops of (value, dy): shape function and kernel.
// A file gives its formula as a struct built from Attrs with `double operator()(double)`.
#pragma once

#include "ops/common.h"

namespace goneuron {

inline std::vector<TensorType> infer_unary(const InferContext& c) {
  return {{c.shape(0), check_floating(c, {0})}};
}

/// As infer_unary, with an attribute `alpha` >= 0: the gradients read the sign of the input off the
/// output.
inline std::vector<TensorType> infer_unary_alpha(const InferContext& c) {
  check_real(c, "alpha", 0, huge);
  return infer_unary(c);
}

/// (value, dy) -> dx
inline std::vector<TensorType> infer_unary_grad(const InferContext& c) {
  const DType dtype = check_floating(c, {0, 1});
  return {{check_same_shape(c, 0, 1), dtype}};
}
inline std::vector<TensorType> infer_unary_grad_alpha(const InferContext& c) {
  check_real(c, "alpha", 0, huge);
  return infer_unary_grad(c);
}

template <class T, class Formula>
void unary_kernel(const KernelArgs& args) {
  const Formula formula(args.attrs);
  const T* x = input<T>(args, 0);
  T* y = output<T>(args, 0);
  const i64 size = args.outputs[0].size();
  for (i64 i = 0; i < size; ++i) y[i] = static_cast<T>(formula(static_cast<double>(x[i])));
}

template <class T, class Formula>
void unary_grad_kernel(const KernelArgs& args) {
  const Formula formula(args.attrs);
  const T* value = input<T>(args, 0);
  const T* dy = input<T>(args, 1);
  T* dx = output<T>(args, 0);
  const i64 size = args.outputs[0].size();
  for (i64 i = 0; i < size; ++i)
    dx[i] = static_cast<T>(formula(static_cast<double>(value[i]), static_cast<double>(dy[i])));
}

template <class Formula>
inline constexpr Reference unary_reference{unary_kernel<float, Formula>,
                                           unary_kernel<double, Formula>};
template <class Formula>
inline constexpr Reference unary_grad_reference{unary_grad_kernel<float, Formula>,
                                                unary_grad_kernel<double, Formula>};

/// A formula without attributes derives from this.
struct Plain {
  explicit Plain(const Attrs&) {}
};
struct WithAlpha {
  explicit WithAlpha(const Attrs& attrs) : alpha(attrs.real("alpha")) {}
  double alpha;
};

inline std::vector<OpReject> reject_unary_types() {
  return {{{i32({2, 3})}, {}, "is i32; it must be f32"}};
}
inline std::vector<OpReject> reject_unary_alpha() {
  return {{{f32({2})}, {{"alpha", std::nan("")}}, "alpha is nan"},
          {{f32({2})}, {{"alpha", -1.0}}, "alpha is -1"},
          {{f32({2})}, {}, "\"alpha\" is missing"}};
}
inline std::vector<OpReject> reject_grad_shapes() {
  return {{{f32({2, 3}), f32({3, 2})}, {}, "[2, 3] and [3, 2] differ"},
          {{f32({2, 3}), i32({2, 3})}, {}, "input 2 is i32"}};
}
inline std::vector<OpReject> reject_grad_alpha() {
  return {{{f32({2, 3}), f32({3, 2})}, {{"alpha", 1.0}}, "[2, 3] and [3, 2] differ"},
          {{f32({2}), f32({2})}, {{"alpha", INFINITY}}, "alpha is inf"}};
}

inline constexpr Gradient second_order =
    Gradient::none("second derivatives of activations are not supported");

}  // namespace goneuron
