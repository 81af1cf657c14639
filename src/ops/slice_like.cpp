// slice_like(x, like){axis, like_axis}: the first elements of an axis of x, as many as `like` has
// along like_axis; for lengths that only the data knows.
#include <cstring>

#include "ops/common.h"

namespace goneuron::slice_like_op {

namespace {
int check_axis(const InferContext& c, const char* name, const Shape& shape) {
  if (shape.rank() == 0) c.fail("a scalar has no axes", "pass something with at least one axis");
  return static_cast<int>(check_integer(c, name, c.attrs.integer(name), 0, shape.rank() - 1));
}

std::vector<TensorType> infer(const InferContext& c) {
  Shape shape = c.shape(0);
  const int axis = check_axis(c, "axis", shape);
  const i64 length = c.shape(1)[check_axis(c, "like_axis", c.shape(1))];
  if (length != Any && shape[axis] != Any && length > shape[axis])
    c.fail("a length of " + std::to_string(length) + "; expected at most the " +
               std::to_string(shape[axis]) + " that there are",
           "cut the data to this length, or make it longer");
  shape.set(axis, length);
  return {{shape, c.dtype(0)}};
}

std::vector<Symbol> gradient(const GradContext& c) {
  return {make("slice_grad", {c.grad(), c.input(0)},
               {{"axis", c.attrs().integer("axis")}, {"begin", i64{0}}}),
          Symbol{}};
}

void kernel(const KernelArgs& args) {
  const auto axis = static_cast<int>(args.attrs.integer("axis"));
  const TensorRef &x = args.inputs[0], &y = args.outputs[0];
  i64 rows = 1, inner = dtype_size(x.dtype);
  for (int i = 0; i < x.shape.rank(); ++i)
    if (i != axis) (i < axis ? rows : inner) *= x.shape[i];
  const i64 from = x.shape[axis] * inner, to = y.shape[axis] * inner;
  for (i64 i = 0; i < rows && to > 0; ++i)
    std::memcpy(y.as<char>() + i * to, x.as<const char>() + i * from, static_cast<size_t>(to));
}

Attrs axes(i64 axis, i64 like) { return {{"axis", axis}, {"like_axis", like}}; }
std::vector<OpSample> samples() {
  return {{{f32({5, 3}), f32({2, 4, 3})}, axes(0, 1)},
          {{f32({2, 5, 2}), f32({3})}, axes(1, 0)},
          {{f32({5}), f32({5})}, axes(0, 0)},
          {{f32({9, 13, 37}), f32({2, 12})}, axes(1, 1), -2, 2, {}, 2, true}};
}
std::vector<OpReject> rejects() {
  return {{{f32({5, 3}), f32({2, 6, 3})}, axes(0, 1), "a length of 6; expected at most the 5"},
          {{f32({5, 3}), f32({2, 4})}, axes(0, 2), "like_axis is 2"},
          {{f32({5, 3}), f32({2, 4})}, axes(2, 0), "axis is 2"},
          {{f32({}), f32({2, 4})}, axes(0, 0), "a scalar has no axes"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "slice_like",
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = {kernel, kernel},
                               .shape_only = 0b10,
                               .samples = samples,
                               .rejects = rejects}};
  return ops;
}

}  // namespace goneuron::slice_like_op
