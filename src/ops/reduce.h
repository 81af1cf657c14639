// Reductions over axes and the ops that spread a gradient back over them: shape functions and
// kernels of sum, mean, expand_like and mean_grad. Attributes: axes (sorted, from 0) and keep
// (leave axes of length 1).
#pragma once

#include <algorithm>

#include "ops/common.h"

namespace goneuron {

inline void check_axes(const InferContext& c, const Shape& shape) {
  check_flag(c, "keep");
  i64 before = -1;
  for (const i64 axis : c.attrs.list("axes")) {
    if (axis <= before || axis >= shape.rank())
      c.fail("axis " + std::to_string(axis) + " of " + shape.str() +
                 " does not exist, or the axes are not sorted",
             "use axes from 0 to " + std::to_string(shape.rank() - 1) + ", each once, in order");
    before = axis;
  }
}

inline bool reduces(const std::vector<i64>& axes, int axis) {
  return std::find(axes.begin(), axes.end(), axis) != axes.end();
}

inline Shape reduced_shape(const Shape& shape, const Attrs& attrs) {
  const auto& axes = attrs.list("axes");
  const bool keep = attrs.integer("keep", 0) == 1;
  std::vector<i64> dims;
  for (int i = 0; i < shape.rank(); ++i) {
    if (!reduces(axes, i))
      dims.push_back(shape[i]);
    else if (keep)
      dims.push_back(1);
  }
  return Shape(dims);
}

inline std::vector<TensorType> infer_reduce(const InferContext& c) {
  const DType dtype = check_floating(c, {0});
  check_axes(c, c.shape(0));
  return {{reduced_shape(c.shape(0), c.attrs), dtype}};
}
/// (dy, like x) -> dx
inline std::vector<TensorType> infer_expand(const InferContext& c) {
  const DType dtype = check_floating(c, {0});
  check_axes(c, c.shape(1));
  check_shape(c, 0, reduced_shape(c.shape(1), c.attrs), "the reduced input");
  return {{c.shape(1), dtype}};
}

/// Elements that go into one sum.
inline i64 reduced_count(const Shape& shape, const std::vector<i64>& axes) {
  i64 n = 1;
  for (const i64 axis : axes) n *= shape[static_cast<int>(axis)];
  return n;
}

/// Calls f(i, j) for every element i of `shape`, in order; j is its place in the reduced tensor.
template <class F>
void for_reduced(const Shape& shape, const std::vector<i64>& axes, F f) {
  i64 index[Shape::max_rank] = {}, step[Shape::max_rank] = {}, next = 1, at = 0;
  for (int i = shape.rank() - 1; i >= 0; --i)
    if (!reduces(axes, i)) {
      step[i] = next;
      next *= shape[i];
    }
  const i64 size = shape.elements();
  for (i64 i = 0; i < size; ++i) {
    f(i, at);
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      at += step[axis];
      if (++index[axis] < shape[axis]) break;
      at -= step[axis] * shape[axis];
      index[axis] = 0;
    }
  }
}

/// Sums in double, one output at a time: no scratch memory, and one rounding.
template <class T, bool mean>
void reduce_kernel(const KernelArgs& args) {
  const Shape& shape = args.inputs[0].shape;
  const auto& axes = args.attrs.list("axes");
  const T* x = input<T>(args, 0);
  T* y = output<T>(args, 0);
  // `outer` walks the outputs, `inner` the elements of one sum.
  i64 outer[Shape::max_rank] = {}, step[Shape::max_rank] = {}, next = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    step[i] = next;
    next *= shape[i];
  }
  const auto advance = [&](i64* index, i64 at, bool over_reduced) {
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      if (reduces(axes, axis) != over_reduced) continue;
      at += step[axis];
      if (++index[axis] < shape[axis]) break;
      at -= step[axis] * shape[axis];
      index[axis] = 0;
    }
    return at;
  };
  const i64 outputs = args.outputs[0].size(), terms = reduced_count(shape, axes);
  i64 start = 0;
  for (i64 o = 0; o < outputs; ++o) {
    i64 inner[Shape::max_rank] = {}, at = start;
    double sum = 0;
    for (i64 t = 0; t < terms; ++t) {
      sum += double{x[at]};
      at = advance(inner, at, true);
    }
    y[o] = static_cast<T>(mean ? sum / static_cast<double>(terms) : sum);
    start = advance(outer, start, false);
  }
}

template <class T, bool mean>
void expand_kernel(const KernelArgs& args) {
  const Shape& shape = args.outputs[0].shape;
  const auto& axes = args.attrs.list("axes");
  const T* dy = input<T>(args, 0);
  T* dx = output<T>(args, 0);
  const double terms = mean ? static_cast<double>(reduced_count(shape, axes)) : 1;
  for_reduced(shape, axes, [&](i64 i, i64 j) { dx[i] = static_cast<T>(double{dy[j]} / terms); });
}

inline double reduce_flops(const std::vector<TensorType>& inputs, const std::vector<TensorType>&,
                           const Attrs&) {
  return count(inputs[0]);
}

inline Attrs over(std::vector<i64> axes, i64 keep = 0) {
  return {{"axes", std::move(axes)}, {"keep", keep}};
}
inline std::vector<OpSample> reduce_samples() {
  return {{{f32({2, 3, 4})}, over({1})},
          {{f32({2, 3, 4})}, over({0, 2}, 1)},
          {{f32({5})}, over({0})},
          {{f32({2, 3})}, over({0, 1})},
          {{f32({2, 3})}, over({})},
          {{f32({2, 3})}, over({1}, 1)},
          {{f32({9, 5, 7, 38})}, over({1, 2}), -2, 2, {}, 2, true},
          {{f32({37, 5, 7, 13})}, over({0, 1, 2}), -2, 2, {}, 2, true},
          {{f32({19, 30, 33})}, over({0, 1}, 1), -2, 2, {}, 2, true},
          {{f32({9, 1000})}, over({1}), -2, 2, {}, 2, true},
          {{f32({256, 1024})}, over({0}), -2, 2, {}, 2, true}};
}
inline std::vector<OpSample> expand_samples() {
  return {{{f32({2, 4}), f32({2, 3, 4})}, over({1})},
          {{f32({1, 3, 1}), f32({2, 3, 4})}, over({0, 2}, 1)},
          {{f32({}), f32({2, 3})}, over({0, 1})},
          {{f32({9, 38}), f32({9, 5, 7, 38})}, over({1, 2}), -2, 2, {}, 2, true},
          {{f32({13}), f32({37, 5, 7, 13})}, over({0, 1, 2}), -2, 2, {}, 2, true},
          {{f32({9, 5}), f32({9, 5, 201})}, over({2}), -2, 2, {}, 2, true}};
}
inline std::vector<OpReject> reduce_rejects() {
  return {{{f32({2, 3})}, over({2}), "axis 2 of [2, 3] does not exist"},
          {{f32({2, 3})}, over({-1}), "axis -1 of [2, 3]"},
          {{f32({2, 3})}, over({1, 0}), "not sorted"},
          {{f32({2, 3})}, over({1}, 5), "keep is 5"},
          {{f32({2, 3})}, {}, "\"axes\" is missing"},
          {{i32({2, 3})}, over({1}), "is i32; it must be f32"}};
}
inline std::vector<OpReject> expand_rejects() {
  return {{{f32({3}), f32({2, 3})}, over({1}), "the reduced input is [3]; it must be [2]"},
          {{f32({3}), f32({2, 3})}, over({5}), "axis 5 of [2, 3]"}};
}

}  // namespace goneuron
