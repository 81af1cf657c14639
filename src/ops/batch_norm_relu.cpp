// Batch norm whose statistics are known, with the relu behind it: batch_norm_relu(x, gamma, beta,
// mean, var[, residual]) -> relu((x - mean) gamma / sqrt(var + epsilon) + beta [+ residual]), and,
// without residual, batch_norm_relu_weight_grad(x, gamma, beta, mean, var, dy) -> dgamma[c],
// dbeta[c] and batch_norm_relu_input_grad(x, gamma, beta, mean, var, dy, dgamma, dbeta) -> dx,
// which make relu's mask again from x. Made by the pass fuse_batch_norm.
#include "ops/batch_norm.h"

namespace goneuron::batch_norm_relu_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) {
  const TensorType channel = check_channels(c, {1, 2, 3, 4});
  if (c.inputs.size() < 6) return {{c.shape(0), channel.dtype}};
  check_floating(c, {0, 5});
  return {{check_same_shape(c, 0, 5), channel.dtype}};
}
std::vector<TensorType> infer_weight_grad(const InferContext& c) {
  const TensorType channel = check_channels(c, {1, 2, 3, 4});
  check_floating(c, {0, 5});
  check_same_shape(c, 0, 5);
  return {channel, channel};
}
std::vector<TensorType> infer_input_grad(const InferContext& c) {
  const TensorType channel = check_channels(c, {1, 2, 3, 4, 6, 7});
  check_floating(c, {0, 5});
  return {{check_same_shape(c, 0, 5), channel.dtype}};
}

/// One channel: what goes into relu, and the normal form of x.
template <class T>
struct Channel {
  Channel(const KernelArgs& args, i64 c)
      : mean(double{input<T>(args, 3)[c]}),
        inverse(1 / std::sqrt(double{input<T>(args, 4)[c]} + args.attrs.real("epsilon"))),
        gamma(double{input<T>(args, 1)[c]}),
        beta(double{input<T>(args, 2)[c]}) {}
  double normal(T x) const { return (double{x} - mean) * inverse; }
  double z(T x) const { return normal(x) * gamma + beta; }
  double mean, inverse, gamma, beta;
};

template <class T>
void kernel(const KernelArgs& args) {
  const i64 channels = last_of(args.inputs[0].shape), size = args.outputs[0].size();
  const T* residual = args.inputs.size() > 5 ? input<T>(args, 5) : nullptr;
  for (i64 c = 0; c < channels; ++c) {
    const Channel<T> channel(args, c);
    for (i64 i = c; i < size; i += channels) {
      const double z = channel.z(input<T>(args, 0)[i]) + (residual ? double{residual[i]} : 0);
      output<T>(args, 0)[i] = static_cast<T>(z <= 0 ? 0 : z);
    }
  }
}

template <class T>
void weight_grad_kernel(const KernelArgs& args) {
  const i64 channels = last_of(args.inputs[0].shape), size = args.inputs[0].size();
  const T *x = input<T>(args, 0), *dy = input<T>(args, 5);
  for (i64 c = 0; c < channels; ++c) {
    const Channel<T> channel(args, c);
    double dgamma = 0, dbeta = 0;
    for (i64 i = c; i < size; i += channels) {
      if (channel.z(x[i]) <= 0) continue;
      dgamma += double{dy[i]} * channel.normal(x[i]);
      dbeta += double{dy[i]};
    }
    output<T>(args, 0)[c] = static_cast<T>(dgamma);
    output<T>(args, 1)[c] = static_cast<T>(dbeta);
  }
}

template <class T>
void input_grad_kernel(const KernelArgs& args) {
  const i64 channels = last_of(args.inputs[0].shape), size = args.inputs[0].size();
  const auto count = static_cast<double>(row_count(args.inputs[0].shape));
  const T *x = input<T>(args, 0), *dy = input<T>(args, 5);
  for (i64 c = 0; c < channels; ++c) {
    const Channel<T> channel(args, c);
    const double dgamma = double{input<T>(args, 6)[c]}, dbeta = double{input<T>(args, 7)[c]};
    for (i64 i = c; i < size; i += channels) {
      const double g = channel.z(x[i]) <= 0 ? 0 : double{dy[i]};
      output<T>(args, 0)[i] =
          static_cast<T>(channel.gamma * channel.inverse *
                         (g - dbeta / count - channel.normal(x[i]) * (dgamma / count)));
    }
  }
}

double flops(const std::vector<TensorType>& inputs, const std::vector<TensorType>&, const Attrs&) {
  return 3 * count(inputs[0]);
}

/// The inputs from 5 that `images` names are images, as the first; the others channel vectors.
OpSample sample(std::initializer_list<i64> shape, size_t inputs, bool bench = false) {
  const TensorType image = f32(shape);
  std::vector<TensorType> types(inputs, f32({image.shape[-1]}));
  types[0] = image;
  if (inputs > 5) types[5] = image;
  // Inputs from 0.2 to 2 make both signs of relu's input, beta included, only where x < mean.
  return {types, epsilon_attrs(1e-3), 0.2, 2, {}, 2, bench};
}
std::vector<OpSample> samples_of(size_t inputs) {
  return {sample({8, 3}, inputs), sample({2, 2, 3, 5}, inputs), sample({9, 7, 5, 19}, inputs, true),
          sample({4, 9, 6, 64}, inputs, true), sample({33, 70}, inputs, true)};
}
std::vector<OpSample> samples() {
  auto all = samples_of(5);
  for (const OpSample& one : samples_of(6)) all.push_back(one);
  return all;
}
std::vector<OpSample> weight_grad_samples() { return samples_of(6); }
std::vector<OpSample> input_grad_samples() { return samples_of(8); }

std::vector<OpReject> rejects() {
  const TensorType c = f32({3});
  return {{{f32({8, 3}), c, f32({4}), c, c}, epsilon_attrs(1e-5), "input 3 is [4]; it must be [3]"},
          {{f32({8, 3}), c, c, c, c, f32({7, 3})}, epsilon_attrs(1e-5), "[8, 3] and [7, 3] differ"},
          {{f32({8, 3}), c, c, c, c}, epsilon_attrs(-1), "epsilon is -1"}};
}
std::vector<OpReject> weight_grad_rejects() {
  const TensorType c = f32({3});
  return {
      {{f32({8, 3}), c, c, c, c, f32({7, 3})}, epsilon_attrs(1e-5), "[8, 3] and [7, 3] differ"}};
}
std::vector<OpReject> input_grad_rejects() {
  const TensorType c = f32({3});
  return {{{f32({8, 3}), c, c, c, c, f32({8, 3}), c, f32({2})},
           epsilon_attrs(1e-5),
           "input 8 is [2]; it must be [3]"}};
}
constexpr Gradient late = Gradient::none("made after differentiation");
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "batch_norm_relu",
                               .min_inputs = 5,
                               .max_inputs = 6,
                               .infer = infer,
                               .gradient = late,
                               .reference = {kernel<float>, kernel<double>},
                               .flops = flops,
                               .samples = samples,
                               .rejects = rejects},
                              {.name = "batch_norm_relu_weight_grad",
                               .min_inputs = 6,
                               .max_inputs = 6,
                               .infer = infer_weight_grad,
                               .gradient = late,
                               .reference = {weight_grad_kernel<float>, weight_grad_kernel<double>},
                               .batch = Batch::reduced,
                               .flops = flops,
                               .samples = weight_grad_samples,
                               .rejects = weight_grad_rejects},
                              {.name = "batch_norm_relu_input_grad",
                               .min_inputs = 8,
                               .max_inputs = 8,
                               .infer = infer_input_grad,
                               .gradient = late,
                               .reference = {input_grad_kernel<float>, input_grad_kernel<double>},
                               .batch = Batch::mixed,
                               .flops = flops,
                               .samples = input_grad_samples,
                               .rejects = input_grad_rejects}};
  return ops;
}

}  // namespace goneuron::batch_norm_relu_op
