// top_k(x[.., n]){k} -> values[.., k], indices i32 [.., k]: the k largest of each row, largest
// first, the first among equals. top_k_grad(indices, dvalues, like x) -> dx: dvalues in their
// places among zeros.
#include "ops/top_k.h"

#include "ops/common.h"

namespace goneuron::top_k_op {

namespace {
i64 check_k(const InferContext& c, i64 k, i64 n) {
  if (k < 1 || (n != Any && k > n))
    c.fail("the " + std::to_string(k) + " largest of " + std::to_string(n) + " are asked for",
           "use k from 1 to the length of the last axis");
  return k;
}

std::vector<TensorType> infer(const InferContext& c) {
  const DType dtype = check_floating(c, {0});
  check_last_axis(c, 0);
  Shape shape = c.shape(0);
  shape.set(-1, check_k(c, c.attrs.integer("k"), shape[-1]));
  return {{shape, dtype}, {shape, DType::i32}};
}
std::vector<TensorType> infer_grad(const InferContext& c) {
  check_dtype(c, 0, DType::i32, "the indices");
  const DType dtype = check_floating(c, {1});
  check_last_axis(c, 2);
  check_same_shape(c, 0, 1);
  Shape expected = c.shape(2);
  if (c.shape(0).rank() == expected.rank())
    expected.set(-1, check_k(c, c.shape(0)[-1], expected[-1]));
  check_shape(c, 0, expected, "the index");
  return {{c.shape(2), dtype}};
}

std::vector<Symbol> gradient(const GradContext& c) {
  if (!c.grad(0)) return {};
  return {make("top_k_grad", {c.output(1), c.grad(0), c.input(0)})};
}

template <class T>
void kernel(const KernelArgs& args) {
  const Shape& shape = args.inputs[0].shape;
  const i64 n = last_of(shape), rows = row_count(shape), k = last_of(args.outputs[0].shape);
  for (i64 r = 0; r < rows; ++r) {
    const T* x = input<T>(args, 0) + r * n;
    i64 pick = -1;
    for (i64 j = 0; j < k; ++j) {
      pick = next_pick(x, n, pick);
      output<T>(args, 0)[r * k + j] = x[pick];
      output<std::int32_t>(args, 1)[r * k + j] = static_cast<std::int32_t>(pick);
    }
  }
}

template <class T>
void grad_kernel(const KernelArgs& args) {
  const Shape& shape = args.outputs[0].shape;
  const i64 n = last_of(shape), rows = row_count(shape), k = last_of(args.inputs[0].shape);
  for (i64 r = 0; r < rows; ++r) {
    T* dx = output<T>(args, 0) + r * n;
    for (i64 i = 0; i < n; ++i) dx[i] = 0;
    for (i64 j = 0; j < k; ++j) {
      const i64 at = input<std::int32_t>(args, 0)[r * k + j];
      if (at >= 0 && at < n) dx[at] += input<T>(args, 1)[r * k + j];
    }
  }
}

double flops(const std::vector<TensorType>& inputs, const std::vector<TensorType>& outputs,
             const Attrs&) {
  return count(inputs[0]) * static_cast<double>(outputs[0].shape[-1]);
}

Attrs largest(i64 k) { return {{"k", k}}; }
std::vector<OpSample> samples() {
  return {{{f32({3, 5})}, largest(2)},
          {{f32({2, 3, 4})}, largest(4)},
          {{f32({7})}, largest(1)},
          {{f32({33, 41, 8})}, largest(2), -2, 2, {}, 2, true}};
}
std::vector<OpSample> grad_samples() {
  return {{{i32({3, 2}), f32({3, 2}), f32({3, 5})}, {}, -2, 2, {}, 5},
          {{i32({2, 3, 1}), f32({2, 3, 1}), f32({2, 3, 4})}, {}, -2, 2, {}, 6},  // past the end too
          {{i32({33, 41, 2}), f32({33, 41, 2}), f32({33, 41, 8})}, {}, -2, 2, {}, 8, true}};
}
std::vector<OpReject> rejects() {
  return {{{f32({3, 5})}, largest(6), "the 6 largest of 5 are asked for"},
          {{f32({3, 5})}, largest(0), "the 0 largest of 5"},
          {{f32({3, 5})}, {}, "\"k\" is missing"},
          {{f32({})}, largest(1), "is a scalar"},
          {{i32({3, 5})}, largest(1), "is i32; it must be f32"}};
}
std::vector<OpReject> grad_rejects() {
  return {{{f32({3, 2}), f32({3, 2}), f32({3, 5})}, {}, "the indices are f32; they must be i32"},
          {{i32({3, 2}), f32({3, 1}), f32({3, 5})}, {}, "[3, 2] and [3, 1] differ"},
          {{i32({3, 6}), f32({3, 6}), f32({3, 5})}, {}, "the 6 largest of 5"},
          {{i32({4, 2}), f32({4, 2}), f32({3, 5})}, {}, "the index is [4, 2]; it must be [3, 2]"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {
      {.name = "top_k",
       .min_inputs = 1,
       .max_inputs = 1,
       .infer = infer,
       .gradient = gradient,
       .reference = {kernel<float>, kernel<double>},
       .flops = flops,
       .samples = samples,
       .rejects = rejects},
      {.name = "top_k_grad",
       .min_inputs = 3,
       .max_inputs = 3,
       .infer = infer_grad,
       .gradient = Gradient::none("second derivatives of top_k are not supported"),
       .reference = {grad_kernel<float>, grad_kernel<double>},
       .shape_only = 0b100,
       .flops = elementwise_flops,
       .samples = grad_samples,
       .rejects = grad_rejects}};
  return ops;
}

}  // namespace goneuron::top_k_op
