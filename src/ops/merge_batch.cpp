// merge_batch(x[n, t, ..]) -> [n t, ..], each step a sample of its own; split_batch(y[n t, ..],
// like x[n, t, ..]) -> [n, t, ..] back: the same memory under another shape.
#include <cstring>

#include "ops/common.h"

namespace goneuron::merge_batch_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) {
  const Shape& x = c.shape(0);
  if (x.rank() < 2) c.fail("the input is " + x.str() + "; it must be [n, t, ..]", "reshape it");
  Shape shape = x.without_batch();
  shape.set(0, x[0] == Any || x[1] == Any ? Any : checked_mul(x[0], x[1]));
  return {{shape, c.dtype(0)}};
}
std::vector<TensorType> infer_split(const InferContext& c) {
  const Shape &y = c.shape(0), &like = c.shape(1);
  check_last_axis(c, 0);
  if (like.rank() < 2 || y.rank() == Shape::max_rank)
    c.fail("cannot split " + y.str() + " like " + like.str(), "pass the input of merge_batch");
  if (y[0] != Any && like[0] != Any && like[1] != Any && checked_mul(like[0], like[1]) != y[0])
    c.fail("the first axis of " + y.str() + " is not " + std::to_string(like[0]) + " x " +
               std::to_string(like[1]),
           "pass the input of merge_batch");
  Shape shape = y.with_batch(like[0]);
  shape.set(1, like[1]);
  return {{shape, c.dtype(0)}};
}

std::vector<Symbol> gradient(const GradContext& c) {
  return {make("split_batch", {c.grad(), c.input(0)})};
}
std::vector<Symbol> split_gradient(const GradContext& c) {
  return {make("merge_batch", {c.grad()}), Symbol{}};
}

void kernel(const KernelArgs& args) {
  const TensorRef &x = args.inputs[0], &y = args.outputs[0];
  const i64 bytes = x.size() * dtype_size(x.dtype);
  if (x.data != y.data && bytes > 0) std::memcpy(y.data, x.data, static_cast<size_t>(bytes));
}

std::vector<OpSample> samples() { return {{{f32({2, 3, 4})}}, {{f32({2, 3})}}, {{i32({4, 2})}}}; }
std::vector<OpSample> split_samples() {
  return {{{f32({6, 4}), f32({2, 3, 5})}}, {{f32({6}), f32({2, 3})}}};
}
std::vector<OpReject> rejects() { return {{{f32({3})}, {}, "it must be [n, t, ..]"}}; }
std::vector<OpReject> split_rejects() {
  return {{{f32({5, 4}), f32({2, 3, 5})}, {}, "the first axis of [5, 4] is not 2 x 3"},
          {{f32({6, 4}), f32({6})}, {}, "cannot split [6, 4] like [6]"},
          {{f32({}), f32({2, 3})}, {}, "is a scalar"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "merge_batch",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = {kernel, kernel},
                               .alias = true,
                               .samples = samples,
                               .rejects = rejects},
                              {.name = "split_batch",
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .infer = infer_split,
                               .gradient = split_gradient,
                               .reference = {kernel, kernel},
                               .shape_only = 0b10,
                               .alias = true,
                               .samples = split_samples,
                               .rejects = split_rejects}};
  return ops;
}

}  // namespace goneuron::merge_batch_op
