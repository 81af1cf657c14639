// concat(x..){axis}: joins along an axis; all other dimensions must agree.
#include <cstring>

#include "ops/common.h"

namespace goneuron::concat_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) {
  check_last_axis(c, 0);
  const int rank = c.shape(0).rank();
  const auto axis =
      static_cast<int>(check_integer(c, "axis", c.attrs.integer("axis"), 0, rank - 1));
  Shape shape = c.shape(0);
  i64 joined = 0;
  for (int i = 0; i < static_cast<int>(c.inputs.size()); ++i) {
    const Shape& x = c.shape(i);
    if (c.dtype(i) != c.dtype(0))
      c.fail_type("the inputs have different dtypes", "cast them to one");
    if (x.rank() == rank && x[axis] == Any)
      c.fail("axis " + std::to_string(axis) + " of " + x.str() + " is not known yet",
             "join along another axis");
    Shape expected = shape;
    if (x.rank() == rank) expected.set(axis, x[axis]);
    if (!agree(x, expected))
      c.fail("cannot join " + c.shape(0).str() + " and " + x.str() + " along axis " +
                 std::to_string(axis),
             "all other dimensions must be equal");
    shape = merge(expected, x);
    joined = checked_add(joined, x[axis]);
  }
  shape.set(axis, joined);
  return {{shape, c.dtype(0)}};
}

std::vector<Symbol> gradient(const GradContext& c) {
  const i64 axis = c.attrs().integer("axis");
  std::vector<Symbol> gradients;
  i64 begin = 0;
  for (const Symbol& x : c.node.expr()->inputs) {
    const i64 end = begin + x.shape()[static_cast<int>(axis)];
    gradients.push_back(
        make("slice", {c.grad()}, {{"axis", axis}, {"begin", begin}, {"end", end}}));
    begin = end;
  }
  return gradients;
}

/// Bytes of everything from `axis` on.
i64 block_bytes(const TensorRef& x, i64 axis) {
  i64 bytes = dtype_size(x.dtype);
  for (int i = static_cast<int>(axis); i < x.shape.rank(); ++i) bytes *= x.shape[i];
  return bytes;
}

void kernel(const KernelArgs& args) {
  const i64 axis = args.attrs.integer("axis");
  const TensorRef& y = args.outputs[0];
  const i64 row = block_bytes(y, axis);
  const i64 rows = row == 0 ? 0 : y.size() * dtype_size(y.dtype) / row;
  i64 begin = 0;
  for (const TensorRef& x : args.inputs) {
    const i64 block = block_bytes(x, axis);
    for (i64 i = 0; i < rows && block > 0; ++i)
      std::memcpy(y.as<char>() + i * row + begin, x.as<const char>() + i * block,
                  static_cast<size_t>(block));
    begin += block;
  }
}

Attrs along(i64 axis) { return {{"axis", axis}}; }
std::vector<OpSample> samples() {
  return {{{f32({2, 3}), f32({2, 1})}, along(1)},
          {{f32({2, 3}), f32({1, 3}), f32({2, 3})}, along(0)},
          {{f32({2, 2, 2}), f32({2, 3, 2})}, along(1)},
          {{f32({4})}, along(0)},
          {{f32({9, 13, 5, 37}), f32({9, 13, 5, 2}), f32({9, 13, 5, 16})},
           along(3),
           -2,
           2,
           {},
           2,
           true}};
}
std::vector<OpReject> rejects() {
  return {{{f32({2, 3}), f32({3, 3})}, along(1), "cannot join [2, 3] and [3, 3] along axis 1"},
          {{f32({2, 3}), f32({2, 3, 1})}, along(1), "cannot join [2, 3] and [2, 3, 1]"},
          {{f32({2, 3}), f32({2, 3})}, along(2), "axis is 2"},
          {{f32({Any, 3}), f32({Any, 3})}, along(0), "axis 0 of [batch, 3] is not known yet"},
          {{f32({2, i64{1} << 62}), f32({2, i64{1} << 62})}, along(1), "does not fit in 64 bits"},
          {{f32({2, 3}), i32({2, 3})}, along(1), "different dtypes"},
          {{f32({}), f32({})}, along(0), "is a scalar"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "concat",
                               .min_inputs = 1,
                               .max_inputs = 64,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = {kernel, kernel},
                               .samples = samples,
                               .rejects = rejects}};
  return ops;
}

}  // namespace goneuron::concat_op
