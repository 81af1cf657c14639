// transpose(x){axes}: axis i of the output is axis axes[i] of x.
#include "ops/common.h"

namespace goneuron::transpose_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) {
  const Shape& x = c.shape(0);
  const auto& axes = c.attrs.list("axes");
  const auto rank = static_cast<size_t>(x.rank());
  std::vector<bool> seen(rank, false);
  std::vector<i64> dims;
  for (const i64 axis : axes) {
    if (axis < 0 || axis >= x.rank() || seen[static_cast<size_t>(axis)]) break;
    seen[static_cast<size_t>(axis)] = true;
    dims.push_back(x[static_cast<int>(axis)]);
  }
  if (axes.size() != rank || dims.size() != rank)
    c.fail("the axes " + Shape(axes).str() + " are no order of those of " + x.str(),
           "name each axis once, from 0");
  return {{Shape(dims), c.dtype(0)}};
}

std::vector<Symbol> gradient(const GradContext& c) {
  const auto& axes = c.attrs().list("axes");
  std::vector<i64> back(axes.size());
  for (size_t i = 0; i < axes.size(); ++i) back[static_cast<size_t>(axes[i])] = static_cast<i64>(i);
  return {make("transpose", {c.grad()}, {{"axes", back}})};
}

template <class T>
void copy(const KernelArgs& args) {
  const Shape &x = args.inputs[0].shape, &y = args.outputs[0].shape;
  const auto& axes = args.attrs.list("axes");
  i64 strides[Shape::max_rank] = {}, steps[Shape::max_rank] = {}, index[Shape::max_rank] = {};
  i64 next = 1;
  for (int i = x.rank() - 1; i >= 0; --i) {
    strides[i] = next;
    next *= x[i];
  }
  for (size_t i = 0; i < axes.size(); ++i) steps[i] = strides[axes[i]];
  const T* from = input<T>(args, 0);
  T* to = output<T>(args, 0);
  const i64 size = args.outputs[0].size();
  for (i64 i = 0; i < size; ++i) {
    to[i] = *from;
    for (int axis = y.rank() - 1; axis >= 0; --axis) {
      from += steps[axis];
      if (++index[axis] < y[axis]) break;
      from -= steps[axis] * y[axis];
      index[axis] = 0;
    }
  }
}

void kernel(const KernelArgs& args) {
  switch (dtype_size(args.inputs[0].dtype)) {
    case 1:
      return copy<std::uint8_t>(args);
    case 2:
      return copy<std::uint16_t>(args);
    case 4:
      return copy<std::uint32_t>(args);
    default:
      return copy<std::uint64_t>(args);
  }
}

Attrs order(std::vector<i64> axes) { return {{"axes", std::move(axes)}}; }
OpSample sample(const TensorType& x, std::vector<i64> axes, bool bench = false) {
  return {{x}, order(std::move(axes)), -2, 2, {}, 9, bench};
}
std::vector<OpSample> samples() {
  return {sample(f32({2, 3}), {1, 0}),
          sample(f32({2, 3, 4}), {0, 2, 1}),
          sample(f32({2, 3, 4, 2}), {0, 2, 1, 3}),
          sample(f32({2, 3, 4}), {2, 0, 1}),
          sample(f32({4}), {0}),
          sample(i32({3, 2}), {1, 0}),
          sample(u8({3, 2}), {1, 0}),
          sample(f32({9, 13, 5, 24}), {0, 2, 1, 3}, true),
          sample(f32({9, 37, 50}), {0, 2, 1}, true),
          sample(f32({17, 9, 6, 35}), {0, 3, 1, 2}, true),
          sample(f32({70, 130}), {1, 0}, true),
          sample(f32({5, 6, 7, 8, 3}), {2, 4, 0, 3, 1}, true)};
}
std::vector<OpReject> rejects() {
  return {{{f32({2, 3})}, order({0, 0}), "the axes [0, 0] are no order of those of [2, 3]"},
          {{f32({2, 3})}, order({1}), "the axes [1] are no order"},
          {{f32({2, 3})}, order({2, 0}), "the axes [2, 0] are no order"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "transpose",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = {kernel, kernel},
                               .samples = samples,
                               .rejects = rejects}};
  return ops;
}

}  // namespace goneuron::transpose_op
