// softmax_cross_entropy(logits[.., c], labels){label_smoothing, ignore_index} -> loss[..], labels
// i32 [..] or floating [.., c]; softmax_cross_entropy_grad(logits, labels, dloss) -> dlogits =
// dloss (softmax(logits) sum(target) - target).
#include "ops/cross_entropy.h"

namespace goneuron::softmax_cross_entropy_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) {
  const DType dtype = check_floating(c, {0});
  return {{check_labels(c, 0, 1), dtype}};
}
std::vector<TensorType> infer_grad(const InferContext& c) {
  const DType dtype = check_floating(c, {0, 2});
  check_shape(c, 2, check_labels(c, 0, 1), "the gradient of the loss");
  return {{c.shape(0), dtype}};
}

std::vector<Symbol> gradient(const GradContext& c) {
  return {make("softmax_cross_entropy_grad", {c.input(0), c.input(1), c.grad()}, c.attrs()),
          Symbol{}};
}

template <class T>
void kernel(const KernelArgs& args) {
  const i64 n = last_of(args.inputs[0].shape), rows = row_count(args.inputs[0].shape);
  const i64 per_sample = rows_per_sample(args.outputs[0].shape);
  Target<T> target(args.inputs[1], args.attrs, n);
  T* loss = output<T>(args, 0);
  for (i64 i = 0; i < rows; ++i) {
    const T* z = input<T>(args, 0) + i * n;
    double sum = 0;
    if (target.select(i, per_sample, args.scalars)) {
      const double shift = log_sum_exp(z, n);
      for (i64 j = 0; j < n; ++j)
        if (const double t = target(j); t != 0) sum -= t * (double{z[j]} - shift);
    }
    loss[i] = static_cast<T>(sum);
  }
}

template <class T>
void grad_kernel(const KernelArgs& args) {
  const i64 n = last_of(args.inputs[0].shape), rows = row_count(args.inputs[0].shape);
  const i64 per_sample = rows_per_sample(args.inputs[2].shape);
  Target<T> target(args.inputs[1], args.attrs, n);
  const T* dloss = input<T>(args, 2);
  for (i64 i = 0; i < rows; ++i) {
    const T* z = input<T>(args, 0) + i * n;
    T* dz = output<T>(args, 0) + i * n;
    const bool good = target.select(i, per_sample, args.scalars);
    const double shift = good ? log_sum_exp(z, n) : 0, weight = good ? target.sum() : 0;
    for (i64 j = 0; j < n; ++j)
      dz[j] = good ? static_cast<T>(double{dloss[i]} *
                                    (std::exp(double{z[j]} - shift) * weight - target(j)))
                   : T{0};
  }
}

double flops(const std::vector<TensorType>& inputs, const std::vector<TensorType>&, const Attrs&) {
  return 4 * count(inputs[0]);
}
std::vector<OpSample> samples() {
  return {{{f32({3, 4}), i32({3})}, smoothing(0), -2, 2, {}, 4},
          {{f32({3, 4}), i32({3})}, smoothing(0.1), -2, 2, {}, 4},
          {{f32({2, 3, 4}), i32({2, 3})}, smoothing(0), -2, 2, {}, 4},
          {{f32({2, 5, 4}), i32({2, 5})}, ignoring(2), -2, 2, {}, 4},
          {{f32({2, 5, 4}), i32({2, 5})}, ignoring(4, 0.1), -2, 2, {}, 5},
          {{f32({3, 4}), f32({3, 4})}, smoothing(0), 0, 1},
          {{f32({3, 4}), f32({3, 4})}, smoothing(0.2), 0, 1},
          {{f32({256, 1000}), i32({256})}, smoothing(0), -2, 2, {}, 1000, true}};
}
std::vector<OpSample> grad_samples() {
  return {
      {{f32({3, 4}), i32({3}), f32({3})}, smoothing(0.1), -2, 2, {}, 4},
      {{f32({3, 4}), f32({3, 4}), f32({3})}, smoothing(0), 0, 1},
      {{f32({2, 5, 4}), i32({2, 5}), f32({2, 5})}, ignoring(1, 0.1), -2, 2, {}, 4},
      {{f32({3, 4}), i32({3}), f32({3})}, smoothing(0), -2, 2, {}, 9}};  // labels out of range too
}
std::vector<OpReject> rejects() {
  return {{{f32({3, 4}), f32({3})}, smoothing(0), "class indices must be integers (i32)"},
          {{f32({3, 4}), i32({3, 4})}, smoothing(0), "one-hot rows must be floating"},
          {{f32({3, 4}), i32({5})},
           smoothing(0),
           "class indices are [5] for predictions of [3, 4]; expected [3]"},
          {{f32({3, 4}), f32({3, 5})}, smoothing(0), "one-hot labels are [3, 5]"},
          {{f32({3, 4}), u8({3})}, smoothing(0), "the labels are u8; they must be i32"},
          {{f32({3, 4}), i32({3})}, smoothing(1.5), "label_smoothing is 1.5"},
          {{f32({3, 4}), f32({3, 4})}, ignoring(-1), "ignore_index is given for one-hot labels"},
          {{f32({}), i32({})}, smoothing(0), "is a scalar"}};
}
std::vector<OpReject> grad_rejects() {
  return {{{f32({3, 4}), i32({3}), f32({4})},
           smoothing(0),
           "the gradient of the loss is [4]; it must be [3]"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "softmax_cross_entropy",
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = {kernel<float>, kernel<double>},
                               .flops = flops,
                               .samples = samples,
                               .rejects = rejects},
                              {.name = "softmax_cross_entropy_grad",
                               .min_inputs = 3,
                               .max_inputs = 3,
                               .infer = infer_grad,
                               .gradient = row_second_order,
                               .reference = {grad_kernel<float>, grad_kernel<double>},
                               .flops = flops,
                               .samples = grad_samples,
                               .rejects = grad_rejects}};
  return ops;
}

}  // namespace goneuron::softmax_cross_entropy_op
