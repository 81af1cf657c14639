// slice(x){axis, begin, end}: elements [begin, end) of an axis; slice_grad(dy, like x){axis,
// begin}: dy in its place among zeros.
#include <cstring>
#include <limits>

#include "ops/common.h"

namespace goneuron::slice_op {

namespace {
int check_axis(const InferContext& c, const Shape& x) {
  if (x.rank() == 0) c.fail("a scalar cannot be sliced", "slice something with at least one axis");
  return static_cast<int>(check_integer(c, "axis", c.attrs.integer("axis"), 0, x.rank() - 1));
}

std::vector<TensorType> infer(const InferContext& c) {
  Shape shape = c.shape(0);
  const int axis = check_axis(c, shape);
  const i64 begin = c.attrs.integer("begin"), end = c.attrs.integer("end");
  if (begin < 0 || begin >= end || (shape[axis] != Any && end > shape[axis]))
    c.fail("elements [" + std::to_string(begin) + ", " + std::to_string(end) + ") of axis " +
               std::to_string(axis) + " of " + shape.str() + " do not exist",
           "use 0 <= begin < end <= the axis's length");
  shape.set(axis, end - begin);
  return {{shape, c.dtype(0)}};
}
std::vector<TensorType> infer_grad(const InferContext& c) {
  const DType dtype = check_floating(c, {0});
  const Shape &dy = c.shape(0), &x = c.shape(1);
  const int axis = check_axis(c, x);
  const i64 begin = c.attrs.integer("begin");
  Shape expected = x;
  if (dy.rank() == x.rank()) expected.set(axis, dy[axis]);
  check_shape(c, 0, expected, "the slice");
  if (begin < 0 || (x[axis] != Any && dy[axis] != Any && checked_add(begin, dy[axis]) > x[axis]))
    c.fail("a slice of " + std::to_string(dy[axis]) + " at " + std::to_string(begin) +
               " does not fit in " + x.str(),
           "begin where it was cut");
  return {{x, dtype}};
}

std::vector<Symbol> gradient(const GradContext& c) {
  const Attrs& attrs = c.attrs();
  return {make("slice_grad", {c.grad(), c.input(0)},
               {{"axis", attrs.integer("axis")}, {"begin", attrs.integer("begin")}})};
}
std::vector<Symbol> grad_gradient(const GradContext& c) {
  const i64 axis = c.attrs().integer("axis"), begin = c.attrs().integer("begin");
  const i64 end = begin + c.input(0).shape()[static_cast<int>(axis)];
  return {make("slice", {c.grad()}, {{"axis", axis}, {"begin", begin}, {"end", end}}), Symbol{}};
}

/// Bytes of the whole tensor as [rows, axis, inner].
struct Cut {
  i64 rows = 1, inner;
  Cut(const TensorRef& x, i64 axis) : inner(dtype_size(x.dtype)) {
    for (int i = 0; i < x.shape.rank(); ++i)
      (i < axis ? rows : inner) *= i == axis ? 1 : x.shape[i];
  }
};

void kernel(const KernelArgs& args) {
  const auto axis = static_cast<int>(args.attrs.integer("axis"));
  const TensorRef &x = args.inputs[0], &y = args.outputs[0];
  const Cut cut(x, axis);
  const i64 from = x.shape[axis] * cut.inner, to = y.shape[axis] * cut.inner;
  const i64 begin = args.attrs.integer("begin") * cut.inner;
  for (i64 i = 0; i < cut.rows && to > 0; ++i)
    std::memcpy(y.as<char>() + i * to, x.as<const char>() + i * from + begin,
                static_cast<size_t>(to));
}

void grad_kernel(const KernelArgs& args) {
  const auto axis = static_cast<int>(args.attrs.integer("axis"));
  const TensorRef &dy = args.inputs[0], &dx = args.outputs[0];
  const Cut cut(dx, axis);
  const i64 from = dy.shape[axis] * cut.inner, to = dx.shape[axis] * cut.inner;
  const i64 begin = args.attrs.integer("begin") * cut.inner;
  for (i64 i = 0; i < cut.rows && to > 0; ++i) {
    char* row = dx.as<char>() + i * to;
    std::memset(row, 0, static_cast<size_t>(begin));
    if (from > 0)
      std::memcpy(row + begin, dy.as<const char>() + i * from, static_cast<size_t>(from));
    std::memset(row + begin + from, 0, static_cast<size_t>(to - begin - from));
  }
}

Attrs part(i64 axis, i64 begin, i64 end) {
  return {{"axis", axis}, {"begin", begin}, {"end", end}};
}
Attrs at(i64 axis, i64 begin) { return {{"axis", axis}, {"begin", begin}}; }
std::vector<OpSample> samples() {
  return {{{f32({4, 3})}, part(0, 1, 3)},
          {{f32({2, 5, 2})}, part(1, 0, 2)},
          {{f32({2, 5})}, part(1, 4, 5)},
          {{i32({6})}, part(0, 2, 6), -2, 2, {}, 9},
          {{f32({9, 13, 5, 37})}, part(3, 5, 36), -2, 2, {}, 2, true},
          {{f32({9, 13, 5, 37})}, part(1, 12, 13), -2, 2, {}, 2, true}};
}
std::vector<OpSample> grad_samples() {
  return {{{f32({2, 3}), f32({4, 3})}, at(0, 1)},
          {{f32({2, 2, 2}), f32({2, 5, 2})}, at(1, 3)},
          {{f32({9, 13, 5, 31}), f32({9, 13, 5, 37})}, at(3, 5), -2, 2, {}, 2, true}};
}
std::vector<OpReject> rejects() {
  return {{{f32({4, 3})}, part(0, 2, 5), "elements [2, 5) of axis 0 of [4, 3] do not exist"},
          {{f32({4, 3})}, part(0, 2, 2), "elements [2, 2)"},
          {{f32({4, 3})}, part(0, -1, 2), "elements [-1, 2)"},
          {{f32({4, 3})}, part(2, 0, 1), "axis is 2"},
          {{f32({})}, part(0, 0, 1), "a scalar cannot be sliced"}};
}
std::vector<OpReject> grad_rejects() {
  return {{{f32({2, 3}), f32({4, 3})}, at(0, 3), "a slice of 2 at 3 does not fit in [4, 3]"},
          {{f32({2, 3}), f32({4, 3})},
           at(0, std::numeric_limits<i64>::max()),
           "does not fit in 64 bits"},
          {{f32({2, 3}), f32({4, 2})}, at(0, 0), "the slice is [2, 3]; it must be [2, 2]"},
          {{f32({2, 3}), f32({4, 3})}, at(2, 0), "axis is 2"},
          {{i32({2, 3}), f32({4, 3})}, at(0, 0), "input 1 is i32"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "slice",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = {kernel, kernel},
                               .samples = samples,
                               .rejects = rejects},
                              {.name = "slice_grad",
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .infer = infer_grad,
                               .gradient = grad_gradient,
                               .reference = {grad_kernel, grad_kernel},
                               .shape_only = 0b10,
                               .samples = grad_samples,
                               .rejects = grad_rejects}};
  return ops;
}

}  // namespace goneuron::slice_op
