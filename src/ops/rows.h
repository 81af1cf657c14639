// Ops over rows of the last axis (softmax and its like): shape functions, loops and the stable
// log-sum-exp.
#pragma once

#include <algorithm>

#include "ops/common.h"

namespace goneuron {

inline std::vector<TensorType> infer_rows(const InferContext& c) {
  const DType dtype = check_floating(c, {0});
  check_last_axis(c, 0);
  return {{c.shape(0), dtype}};
}
inline std::vector<TensorType> infer_row_pairs(const InferContext& c) {
  const DType dtype = check_floating(c, {0, 1});
  check_last_axis(c, 0);
  return {{check_same_shape(c, 0, 1), dtype}};
}

/// log(sum(exp(x))) without overflow; `T` is float or double.
template <class T>
double log_sum_exp(const T* x, i64 n) {
  double top = -INFINITY, sum = 0;
  for (i64 j = 0; j < n; ++j) top = std::max(top, double{x[j]});
  if (top == -INFINITY) return top;
  for (i64 j = 0; j < n; ++j) sum += std::exp(double{x[j]} - top);
  return top + std::log(sum);
}

template <class T, class F>
void for_rows(const KernelArgs& args, F f) {
  const Shape& shape = args.inputs[0].shape;
  const i64 n = last_of(shape), rows = row_count(shape);
  for (i64 i = 0; i < rows; ++i) f(input<T>(args, 0) + i * n, output<T>(args, 0) + i * n, n);
}
template <class T, class F>
void for_row_pairs(const KernelArgs& args, F f) {
  const Shape& shape = args.inputs[0].shape;
  const i64 n = last_of(shape), rows = row_count(shape);
  for (i64 i = 0; i < rows; ++i)
    f(input<T>(args, 0) + i * n, input<T>(args, 1) + i * n, output<T>(args, 0) + i * n, n);
}

inline double row_flops(const std::vector<TensorType>&, const std::vector<TensorType>& outputs,
                        const Attrs&) {
  return 4 * count(outputs[0]);
}
inline std::vector<OpSample> row_samples() {
  return {{{f32({2, 3})}},
          {{f32({2, 2, 5})}, {}, -20, 20},
          {{f32({4})}},
          {{f32({256, 1000})}, {}, -2, 2, {}, 2, true}};
}
inline std::vector<OpSample> row_pair_samples() {
  return {{{f32({2, 3}), f32({2, 3})}, {}, 0, 1},
          {{f32({37, 5, 101}), f32({37, 5, 101})}, {}, -1, 1, {}, 2, true}};
}
inline std::vector<OpReject> row_rejects() {
  return {{{f32({})}, {}, "is a scalar"}, {{i32({2, 3})}, {}, "is i32; it must be f32"}};
}
inline std::vector<OpReject> row_pair_rejects() {
  return {{{f32({2, 3}), f32({2, 4})}, {}, "[2, 3] and [2, 4] differ"}};
}
inline constexpr Gradient row_second_order =
    Gradient::none("second derivatives of softmax are not supported");

}  // namespace goneuron
