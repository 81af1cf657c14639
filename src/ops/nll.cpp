// nll(logp[.., c], labels){label_smoothing, ignore_index} -> loss[..]: the negative log likelihood
// of labels under log probabilities; nll_grad(labels, dloss, like logp) -> dlogp = -target dloss.
#include "ops/cross_entropy.h"

namespace goneuron::nll_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) {
  const DType dtype = check_floating(c, {0});
  return {{check_labels(c, 0, 1), dtype}};
}
std::vector<TensorType> infer_grad(const InferContext& c) {
  const DType dtype = check_floating(c, {1});
  check_shape(c, 1, check_labels(c, 2, 0), "the gradient of the loss");
  return {{c.shape(2), dtype}};
}

std::vector<Symbol> gradient(const GradContext& c) {
  return {make("nll_grad", {c.input(1), c.grad(), c.input(0)}, c.attrs()), Symbol{}};
}
std::vector<Symbol> grad_gradient(const GradContext& c) {
  return {Symbol{}, make("nll", {c.grad(), c.input(0)}, c.attrs()), Symbol{}};  // linear in dloss
}

template <class T>
void kernel(const KernelArgs& args) {
  const i64 n = last_of(args.inputs[0].shape), rows = row_count(args.inputs[0].shape);
  const i64 per_sample = rows_per_sample(args.outputs[0].shape);
  Target<T> target(args.inputs[1], args.attrs, n);
  for (i64 i = 0; i < rows; ++i) {
    const T* logp = input<T>(args, 0) + i * n;
    double sum = 0;
    if (target.select(i, per_sample, args.scalars))
      for (i64 j = 0; j < n; ++j)
        if (const double t = target(j); t != 0) sum -= t * double{logp[j]};
    output<T>(args, 0)[i] = static_cast<T>(sum);
  }
}

template <class T>
void grad_kernel(const KernelArgs& args) {
  const i64 n = last_of(args.outputs[0].shape), rows = row_count(args.outputs[0].shape);
  const i64 per_sample = rows_per_sample(args.inputs[1].shape);
  Target<T> target(args.inputs[0], args.attrs, n);
  const T* dloss = input<T>(args, 1);
  for (i64 i = 0; i < rows; ++i) {
    T* dlogp = output<T>(args, 0) + i * n;
    const bool good = target.select(i, per_sample, args.scalars);
    for (i64 j = 0; j < n; ++j)
      dlogp[j] = good ? static_cast<T>(-target(j) * double{dloss[i]}) : T{0};
  }
}

std::vector<OpSample> samples() {
  return {{{f32({3, 4}), i32({3})}, smoothing(0), -5, -0.1, {}, 4},
          {{f32({3, 4}), i32({3})}, smoothing(0.1), -5, -0.1, {}, 4},
          {{f32({2, 2, 4}), i32({2, 2})}, smoothing(0.1), -5, -0.1, {}, 4},
          {{f32({2, 5, 4}), i32({2, 5})}, ignoring(4, 0.1), -5, -0.1, {}, 5},
          {{f32({3, 4}), f32({3, 4})}, smoothing(0.2), 0, 1}};
}
std::vector<OpSample> grad_samples() {
  return {{{i32({3}), f32({3}), f32({3, 4})}, smoothing(0.1), -2, 2, {}, 4},
          {{i32({2, 5}), f32({2, 5}), f32({2, 5, 4})}, ignoring(1), -2, 2, {}, 4},
          {{f32({3, 4}), f32({3}), f32({3, 4})}, smoothing(0), 0, 1}};
}
std::vector<OpReject> rejects() {
  return {{{f32({3, 4}), f32({3})}, smoothing(0), "class indices must be integers (i32)"},
          {{f32({3, 4}), i32({3, 4})}, smoothing(0), "one-hot rows must be floating"},
          {{f32({3, 4}), i32({3})}, smoothing(-0.1), "label_smoothing is -0.1"}};
}
std::vector<OpReject> grad_rejects() {
  return {{{i32({3}), f32({4}), f32({3, 4})},
           smoothing(0),
           "the gradient of the loss is [4]; it must be [3]"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "nll",
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = {kernel<float>, kernel<double>},
                               .flops = elementwise_flops,
                               .samples = samples,
                               .rejects = rejects},
                              {.name = "nll_grad",
                               .min_inputs = 3,
                               .max_inputs = 3,
                               .infer = infer_grad,
                               .gradient = grad_gradient,
                               .reference = {grad_kernel<float>, grad_kernel<double>},
                               .shape_only = 0b100,
                               .flops = elementwise_flops,
                               .samples = grad_samples,
                               .rejects = grad_rejects}};
  return ops;
}

}  // namespace goneuron::nll_op
