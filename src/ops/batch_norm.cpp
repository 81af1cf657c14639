// batch_norm(x[.., c], gamma[c], beta[c], like running_mean, like running_var){epsilon} -> y,
// mean[c], var[c] (biased), over all axes but the last; batch_norm_grad(x, gamma, mean, var, dy) ->
// dx, dgamma, dbeta (Ioffe & Szegedy 2015).
#include "ops/batch_norm.h"

namespace goneuron::batch_norm_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) {
  const TensorType channel = check_channels(c, {1, 2, 3, 4});
  return {{c.shape(0), channel.dtype}, channel, channel};
}
std::vector<TensorType> infer_grad(const InferContext& c) {
  const TensorType channel = check_channels(c, {1, 2, 3});
  check_floating(c, {0, 4});
  return {{check_same_shape(c, 0, 4), channel.dtype}, channel, channel};
}

std::vector<Symbol> gradient(const GradContext& c) {
  if (!c.grad(0)) return {};
  const Symbol dx = make("batch_norm_grad",
                         {c.input(0), c.input(1), c.output(1), c.output(2), c.grad(0)}, c.attrs());
  return {dx, output_of(dx, 1), output_of(dx, 2)};
}

template <class T>
void kernel(const KernelArgs& args) {
  const Shape& shape = args.inputs[0].shape;
  const i64 channels = last_of(shape), rows = row_count(shape);
  const double epsilon = args.attrs.real("epsilon");
  for (i64 c = 0; c < channels; ++c) {
    const T* x = input<T>(args, 0) + c;
    T* y = output<T>(args, 0) + c;
    double mean = 0, var = 0;
    for (i64 i = 0; i < rows; ++i) mean += double{x[i * channels]};
    mean /= static_cast<double>(rows);
    for (i64 i = 0; i < rows; ++i)
      var += (double{x[i * channels]} - mean) * (double{x[i * channels]} - mean);
    var /= static_cast<double>(rows);
    const double scale = double{input<T>(args, 1)[c]} / std::sqrt(var + epsilon),
                 shift = double{input<T>(args, 2)[c]};
    for (i64 i = 0; i < rows; ++i)
      y[i * channels] = static_cast<T>((double{x[i * channels]} - mean) * scale + shift);
    output<T>(args, 1)[c] = static_cast<T>(mean);
    output<T>(args, 2)[c] = static_cast<T>(var);
  }
}

/// dx = gamma / sqrt(var + epsilon) (dy - mean(dy) - xhat mean(dy xhat))
template <class T>
void grad_kernel(const KernelArgs& args) {
  const Shape& shape = args.inputs[0].shape;
  const i64 channels = last_of(shape), rows = row_count(shape);
  const double epsilon = args.attrs.real("epsilon"), count = static_cast<double>(rows);
  for (i64 c = 0; c < channels; ++c) {
    const T *x = input<T>(args, 0) + c, *dy = input<T>(args, 4) + c;
    T* dx = output<T>(args, 0) + c;
    const double mean = double{input<T>(args, 2)[c]},
                 inverse = 1 / std::sqrt(double{input<T>(args, 3)[c]} + epsilon);
    const auto normal = [&](i64 i) { return (double{x[i * channels]} - mean) * inverse; };
    double dgamma = 0, dbeta = 0;
    for (i64 i = 0; i < rows; ++i) {
      dgamma += double{dy[i * channels]} * normal(i);
      dbeta += double{dy[i * channels]};
    }
    const double scale = double{input<T>(args, 1)[c]} * inverse;
    for (i64 i = 0; i < rows; ++i)
      dx[i * channels] = static_cast<T>(
          scale * (double{dy[i * channels]} - dbeta / count - normal(i) * (dgamma / count)));
    output<T>(args, 1)[c] = static_cast<T>(dgamma);
    output<T>(args, 2)[c] = static_cast<T>(dbeta);
  }
}

double flops(const std::vector<TensorType>& inputs, const std::vector<TensorType>&, const Attrs&) {
  return 8 * count(inputs[0]);
}
std::vector<OpSample> samples() {
  const TensorType c = f32({3});
  return {{{f32({8, 3}), c, c, c, c}, epsilon_attrs(1e-5)},
          {{f32({2, 2, 3, 3}), c, c, c, c}, epsilon_attrs(1e-3)},
          {{f32({9, 7, 5, 19}), f32({19}), f32({19}), f32({19}), f32({19})},
           epsilon_attrs(1e-3),
           -2,
           2,
           {},
           2,
           true},
          {{f32({32, 14, 14, 64}), f32({64}), f32({64}), f32({64}), f32({64})},
           epsilon_attrs(1e-5),
           -2,
           2,
           {},
           2,
           true}};
}
std::vector<OpSample> grad_samples() {
  const TensorType c = f32({3});
  return {{{f32({8, 3}), c, c, c, f32({8, 3})}, epsilon_attrs(1e-5), 0.2, 2},
          {{f32({9, 7, 5, 19}), f32({19}), f32({19}), f32({19}), f32({9, 7, 5, 19})},
           epsilon_attrs(1e-3),
           0.2,
           2,
           {},
           2,
           true}};
}
std::vector<OpReject> rejects() {
  const TensorType c = f32({3});
  return {{{f32({8, 4}), c, c, c, c}, epsilon_attrs(1e-5), "input 2 is [3]; it must be [4]"},
          {{f32({8, 3}), c, c, c, c}, epsilon_attrs(-1), "epsilon is -1"},
          {{f32({}), c, c, c, c}, epsilon_attrs(1e-5), "is a scalar"}};
}
std::vector<OpReject> grad_rejects() {
  const TensorType c = f32({3});
  return {{{f32({8, 3}), c, c, c, f32({7, 3})}, epsilon_attrs(1e-5), "[8, 3] and [7, 3] differ"},
          {{f32({8, 3}), c, f32({2}), c, f32({8, 3})}, epsilon_attrs(1e-5), "input 3 is [2]"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {
      {.name = "batch_norm",
       .min_inputs = 5,
       .max_inputs = 5,
       .infer = infer,
       .gradient = gradient,
       .reference = {kernel<float>, kernel<double>},
       .batch = Batch::mixed,
       .shape_only = 0b11000,
       .detached = 0b110,
       .flops = flops,
       .samples = samples,
       .rejects = rejects},
      {.name = "batch_norm_grad",
       .min_inputs = 5,
       .max_inputs = 5,
       .infer = infer_grad,
       .gradient = Gradient::none("second derivatives of batch norm are not supported"),
       .reference = {grad_kernel<float>, grad_kernel<double>},
       .batch = Batch::mixed,
       .flops = flops,
       .samples = grad_samples,
       .rejects = grad_rejects}};
  return ops;
}

}  // namespace goneuron::batch_norm_op
