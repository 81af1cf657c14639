// Binary elementwise ops with NumPy broadcasting: shape function, kernel, and the reduction that
// gradients need.
#pragma once

#include <algorithm>
#include <array>

#include "ops/common.h"

namespace goneuron {

/// Any broadcasts with 1 and equals Any only.
inline std::vector<TensorType> infer_broadcast(const InferContext& c) {
  const DType dtype = check_floating(c, {0, 1});
  const Shape &a = c.shape(0), &b = c.shape(1);
  std::vector<i64> dims(static_cast<size_t>(std::max(a.rank(), b.rank())));
  for (int i = 1; i <= static_cast<int>(dims.size()); ++i) {
    const i64 da = i <= a.rank() ? a[-i] : 1, db = i <= b.rank() ? b[-i] : 1;
    if (da != db && da != 1 && db != 1)
      c.fail("shapes " + a.str() + " and " + b.str() + " do not broadcast: axis " +
                 std::to_string(-i) + " is " + (da == Any ? "not known" : std::to_string(da)) +
                 " and " + (db == Any ? "not known" : std::to_string(db)) +
                 "; expected equal sizes, or 1",
             "bring them to one shape first, e.g. with Reshape or Dense");
    dims[dims.size() - static_cast<size_t>(i)] = da == 1 ? db : da;
  }
  return {{Shape(dims), dtype}};
}

using Strides = std::array<i64, Shape::max_rank>;

/// Steps through `shape` for each axis of `over`; 0 where `shape` repeats.
inline Strides broadcast_strides(const Shape& shape, const Shape& over) {
  Strides strides{};
  i64 step = 1;
  for (int i = 1; i <= shape.rank(); ++i) {
    strides[static_cast<size_t>(over.rank() - i)] = shape[-i] == 1 ? 0 : step;
    step *= shape[-i];
  }
  return strides;
}

template <class T, class F>
void broadcast_kernel(const KernelArgs& args) {
  const Shape& shape = args.outputs[0].shape;
  const Strides steps_a = broadcast_strides(args.inputs[0].shape, shape);
  const Strides steps_b = broadcast_strides(args.inputs[1].shape, shape);
  const T *a = input<T>(args, 0), *b = input<T>(args, 1);
  T* y = output<T>(args, 0);
  const i64 size = shape.elements();
  Strides index{};
  for (i64 i = 0; i < size; ++i) {
    y[i] = static_cast<T>(F::apply(static_cast<double>(*a), static_cast<double>(*b)));
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      const auto at = static_cast<size_t>(axis);
      a += steps_a[at];
      b += steps_b[at];
      if (++index[at] < shape[axis]) break;
      a -= steps_a[at] * shape[axis];
      b -= steps_b[at] * shape[axis];
      index[at] = 0;
    }
  }
}
template <class F>
inline constexpr Reference broadcast_reference{broadcast_kernel<float, F>,
                                               broadcast_kernel<double, F>};

/// `gradient` summed over the axes along which `like` was repeated, in the shape of `like`.
inline Symbol reduce_to(const Symbol& gradient, const Symbol& like) {
  const Shape &from = gradient.shape(), &to = like.shape();
  const int lead = from.rank() - to.rank();
  std::vector<i64> axes;
  for (int i = 0; i < from.rank(); ++i)
    if (i < lead || (to[i - lead] == 1 && from[i] != 1)) axes.push_back(i);
  Symbol result = gradient;
  if (!axes.empty()) result = make("sum", {gradient}, {{"axes", axes}, {"keep", i64{1}}});
  return lead > 0 ? make("reshape_like", {result, like}) : result;
}

inline std::vector<OpSample> samples_binary() {
  return {{{f32({2, 3}), f32({2, 3})}},
          {{f32({2, 1, 4}), f32({3, 1})}},
          {{f32({}), f32({2, 3})}},
          {{f32({4, 3}), f32({3})}},
          {{f32({256, 1024}), f32({1024})}, {}, -2, 2, {}, 2, true},
          {{f32({17, 19, 1}), f32({17, 19, 300})}, {}, -2, 2, {}, 2, true},
          {{f32({17, 19, 33}), f32({17, 1, 33})}, {}, -2, 2, {}, 2, true},
          {{f32({1, 19, 33}), f32({17, 1, 1})}, {}, -2, 2, {}, 2, true}};
}
inline std::vector<OpReject> rejects_binary() {
  return {{{f32({2, 3}), f32({4})}, {}, "do not broadcast: axis -1 is 3 and 4"},
          {{f32({Any, 3}), f32({4, 3})}, {}, "axis -2 is not known and 4"},
          {{f32({2}), i32({2})}, {}, "input 2 is i32"}};
}

}  // namespace goneuron
