// swiglu(x): silu(gate) * value, the two halves of the last axis (Shazeer 2020).
// swiglu_grad(x, dy): the gradients of both halves, side by side.
#include "ops/activation.h"

namespace goneuron::swiglu_op {

namespace {
/// The output's shape: half the last axis.
Shape halved(const InferContext& c) {
  check_last_axis(c, 0);
  Shape shape = c.shape(0);
  const i64 width = shape[-1];
  if (width == Any || width % 2 != 0)
    c.fail("the last axis of " + shape.str() + " has no two halves; expected an even length",
           "put gates and values side by side");
  shape.set(-1, width / 2);
  return shape;
}
std::vector<TensorType> infer(const InferContext& c) {
  return {{halved(c), check_floating(c, {0})}};
}
std::vector<TensorType> infer_grad(const InferContext& c) {
  const DType dtype = check_floating(c, {0, 1});
  check_shape(c, 1, halved(c), "the output's gradient");
  return {{c.shape(0), dtype}};
}
std::vector<Symbol> gradient(const GradContext& c) {
  return {make("swiglu_grad", {c.input(0), c.grad()})};
}

template <class T>
void kernel(const KernelArgs& args) {
  const i64 n = last_of(args.outputs[0].shape), rows = row_count(args.outputs[0].shape);
  for (i64 i = 0; i < rows; ++i) {
    const T* x = input<T>(args, 0) + 2 * i * n;
    T* y = output<T>(args, 0) + i * n;
    for (i64 j = 0; j < n; ++j)
      y[j] = static_cast<T>(activation::silu(double{x[j]}) * double{x[n + j]});
  }
}

template <class T>
void grad_kernel(const KernelArgs& args) {
  const i64 n = last_of(args.inputs[1].shape), rows = row_count(args.inputs[1].shape);
  for (i64 i = 0; i < rows; ++i) {
    const T *x = input<T>(args, 0) + 2 * i * n, *dy = input<T>(args, 1) + i * n;
    T* dx = output<T>(args, 0) + 2 * i * n;
    for (i64 j = 0; j < n; ++j) {
      const double gate = x[j], s = activation::sigmoid(gate);
      dx[j] = static_cast<T>(double{dy[j]} * double{x[n + j]} * s * (1 + gate * (1 - s)));
      dx[n + j] = static_cast<T>(double{dy[j]} * gate * s);
    }
  }
}

std::vector<OpSample> samples() {
  return {
      {{f32({2, 3, 4})}}, {{f32({6})}, {}, -9, 9}, {{f32({33, 5, 74})}, {}, -5, 5, {}, 2, true}};
}
std::vector<OpSample> grad_samples() {
  return {{{f32({2, 3, 4}), f32({2, 3, 2})}},
          {{f32({6}), f32({3})}, {}, -9, 9},
          {{f32({33, 5, 74}), f32({33, 5, 37})}, {}, -5, 5, {}, 2, true}};
}
std::vector<OpReject> rejects() {
  return {{{f32({2, 3})}, {}, "has no two halves"},
          {{f32({})}, {}, "is a scalar"},
          {{i32({2, 4})}, {}, "is i32"}};
}
std::vector<OpReject> grad_rejects() {
  return {{{f32({2, 4}), f32({2, 4})}, {}, "the output's gradient is [2, 4]"}};
}
double flops(const std::vector<TensorType>& inputs, const std::vector<TensorType>&, const Attrs&) {
  return 8 * count(inputs[0]);  // most of it the exponential
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {
      {.name = "swiglu",
       .min_inputs = 1,
       .max_inputs = 1,
       .infer = infer,
       .gradient = gradient,
       .reference = {kernel<float>, kernel<double>},
       .flops = flops,
       .samples = samples,
       .rejects = rejects},
      {.name = "swiglu_grad",
       .min_inputs = 2,
       .max_inputs = 2,
       .infer = infer_grad,
       .gradient = Gradient::none("second derivatives of activations are not supported"),
       .reference = {grad_kernel<float>, grad_kernel<double>},
       .flops = flops,
       .samples = grad_samples,
       .rejects = grad_rejects}};
  return ops;
}

}  // namespace goneuron::swiglu_op
