// expand_dims(x){axis} puts an axis of length 1 in, squeeze(x){axis} takes one out: the same memory
// under another shape, also where several dimensions are not known yet.
#include <cstring>

#include "ops/common.h"

namespace goneuron::expand_dims_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) {
  const Shape& x = c.shape(0);
  if (x.rank() == Shape::max_rank) c.fail("the input has 8 axes already", "join some of them");
  const i64 axis = check_integer(c, "axis", c.attrs.integer("axis"), 0, x.rank());
  std::vector<i64> dims(x.begin(), x.end());
  dims.insert(dims.begin() + axis, 1);
  return {{Shape(dims), c.dtype(0)}};
}
std::vector<TensorType> infer_squeeze(const InferContext& c) {
  const Shape& x = c.shape(0);
  check_last_axis(c, 0);
  const i64 axis = check_integer(c, "axis", c.attrs.integer("axis"), 0, x.rank() - 1);
  if (x[static_cast<int>(axis)] != 1)
    c.fail("axis " + std::to_string(axis) + " of " + x.str() + " has another length than 1",
           "slice it, or reduce it by sum() or mean()");
  std::vector<i64> dims(x.begin(), x.end());
  dims.erase(dims.begin() + axis);
  return {{Shape(dims), c.dtype(0)}};
}

std::vector<Symbol> gradient(const GradContext& c) {
  return {make("squeeze", {c.grad()}, c.attrs())};
}
std::vector<Symbol> squeeze_gradient(const GradContext& c) {
  return {make("expand_dims", {c.grad()}, c.attrs())};
}

void kernel(const KernelArgs& args) {
  const TensorRef &x = args.inputs[0], &y = args.outputs[0];
  const i64 bytes = x.size() * dtype_size(x.dtype);
  if (x.data != y.data && bytes > 0) std::memcpy(y.data, x.data, static_cast<size_t>(bytes));
}

Attrs at(i64 axis) { return {{"axis", axis}}; }
std::vector<OpSample> samples() {
  return {{{f32({2, 3})}, at(1)}, {{f32({2, 3})}, at(2)}, {{f32({})}, at(0)}, {{i32({4})}, at(0)}};
}
std::vector<OpSample> squeeze_samples() {
  return {{{f32({2, 1, 3})}, at(1)}, {{f32({2, 1})}, at(1)}, {{f32({1})}, at(0)}};
}
std::vector<OpReject> rejects() {
  return {{{f32({2, 3})}, at(3), "axis is 3"},
          {{f32({2, 3})}, at(-1), "axis is -1"},
          {{f32({1, 1, 1, 1, 1, 1, 1, 1})}, at(0), "has 8 axes already"}};
}
std::vector<OpReject> squeeze_rejects() {
  return {{{f32({2, 3})}, at(1), "axis 1 of [2, 3] has another length than 1"},
          {{f32({2, 1})}, at(2), "axis is 2"},
          {{f32({})}, at(0), "is a scalar"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "expand_dims",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = {kernel, kernel},
                               .alias = true,
                               .samples = samples,
                               .rejects = rejects},
                              {.name = "squeeze",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer_squeeze,
                               .gradient = squeeze_gradient,
                               .reference = {kernel, kernel},
                               .alias = true,
                               .samples = squeeze_samples,
                               .rejects = squeeze_rejects}};
  return ops;
}

}  // namespace goneuron::expand_dims_op
