// The parts that batch norm falls into, so that its sums can be cut into tiles: batch_norm_var(x,
// mean) -> var[c] (biased), batch_norm_weight_grad(x, mean, var, dy) -> dgamma[c], dbeta[c], and
// batch_norm_input_grad(x, gamma, mean, var, dy, dgamma, dbeta) -> dx. Made by the pass
// split_batch_norm.
#include "ops/batch_norm.h"

namespace goneuron::batch_norm_parts_op {

namespace {
std::vector<TensorType> infer_var(const InferContext& c) { return {check_channels(c, {1})}; }
std::vector<TensorType> infer_weight_grad(const InferContext& c) {
  const TensorType channel = check_channels(c, {1, 2});
  check_floating(c, {0, 3});
  check_same_shape(c, 0, 3);
  return {channel, channel};
}
std::vector<TensorType> infer_input_grad(const InferContext& c) {
  const TensorType channel = check_channels(c, {1, 2, 3, 5, 6});
  check_floating(c, {0, 4});
  return {{check_same_shape(c, 0, 4), channel.dtype}};
}

template <class T>
void var_kernel(const KernelArgs& args) {
  const Shape& shape = args.inputs[0].shape;
  const i64 channels = last_of(shape), rows = row_count(shape);
  for (i64 c = 0; c < channels; ++c) {
    const double mean = double{input<T>(args, 1)[c]};
    double sum = 0;
    for (i64 i = c; i < rows * channels; i += channels) {
      const double off = double{input<T>(args, 0)[i]} - mean;
      sum += off * off;
    }
    output<T>(args, 0)[c] = static_cast<T>(sum / static_cast<double>(rows));
  }
}

template <class T>
void weight_grad_kernel(const KernelArgs& args) {
  const Shape& shape = args.inputs[0].shape;
  const i64 channels = last_of(shape), rows = row_count(shape);
  const double epsilon = args.attrs.real("epsilon");
  const T *x = input<T>(args, 0), *dy = input<T>(args, 3);
  for (i64 c = 0; c < channels; ++c) {
    const double mean = double{input<T>(args, 1)[c]},
                 inverse = 1 / std::sqrt(double{input<T>(args, 2)[c]} + epsilon);
    double dgamma = 0, dbeta = 0;
    for (i64 i = c; i < rows * channels; i += channels) {
      dgamma += double{dy[i]} * (double{x[i]} - mean) * inverse;
      dbeta += double{dy[i]};
    }
    output<T>(args, 0)[c] = static_cast<T>(dgamma);
    output<T>(args, 1)[c] = static_cast<T>(dbeta);
  }
}

template <class T>
void input_grad_kernel(const KernelArgs& args) {
  const Shape& shape = args.inputs[0].shape;
  const i64 channels = last_of(shape), rows = row_count(shape);
  const double epsilon = args.attrs.real("epsilon"), count = static_cast<double>(rows);
  const T *x = input<T>(args, 0), *dy = input<T>(args, 4);
  for (i64 c = 0; c < channels; ++c) {
    const double mean = double{input<T>(args, 2)[c]},
                 inverse = 1 / std::sqrt(double{input<T>(args, 3)[c]} + epsilon),
                 scale = double{input<T>(args, 1)[c]} * inverse,
                 dgamma = double{input<T>(args, 5)[c]}, dbeta = double{input<T>(args, 6)[c]};
    for (i64 i = c; i < rows * channels; i += channels)
      output<T>(args, 0)[i] =
          static_cast<T>(scale * (double{dy[i]} - dbeta / count -
                                  (double{x[i]} - mean) * inverse * (dgamma / count)));
  }
}

double flops(const std::vector<TensorType>& inputs, const std::vector<TensorType>&, const Attrs&) {
  return 3 * count(inputs[0]);
}

/// The inputs `x` stands at are images, the others channel vectors.
OpSample sample(std::initializer_list<i64> shape, size_t inputs, std::initializer_list<size_t> x,
                bool bench = false) {
  const TensorType image = f32(shape);
  std::vector<TensorType> types(inputs, f32({image.shape[-1]}));
  for (const size_t i : x) types[i] = image;
  return {types, epsilon_attrs(1e-3), 0.2, 2, {}, 2, bench};
}
std::vector<OpSample> samples(size_t inputs, std::initializer_list<size_t> x) {
  return {sample({8, 3}, inputs, x), sample({2, 2, 3, 5}, inputs, x),
          sample({9, 7, 5, 19}, inputs, x, true), sample({4, 9, 6, 64}, inputs, x, true),
          sample({33, 70}, inputs, x, true)};
}
std::vector<OpSample> var_samples() { return samples(2, {0}); }
std::vector<OpSample> weight_grad_samples() { return samples(4, {0, 3}); }
std::vector<OpSample> input_grad_samples() { return samples(7, {0, 4}); }

std::vector<OpReject> var_rejects() {
  return {{{f32({8, 3}), f32({4})}, epsilon_attrs(1e-5), "input 2 is [4]; it must be [3]"},
          {{f32({8, 3}), f32({3})}, epsilon_attrs(-1), "epsilon is -1"},
          {{f32({}), f32({3})}, epsilon_attrs(1e-5), "is a scalar"}};
}
std::vector<OpReject> weight_grad_rejects() {
  return {{{f32({8, 3}), f32({3}), f32({3}), f32({7, 3})},
           epsilon_attrs(1e-5),
           "[8, 3] and [7, 3] differ"}};
}
std::vector<OpReject> input_grad_rejects() {
  const TensorType c = f32({3});
  return {
      {{f32({8, 3}), c, c, c, f32({8, 3}), c, f32({2})},
       epsilon_attrs(1e-5),
       "input 7 is [2]; it must be [3]"},
      {{f32({8, 3}), c, c, c, f32({7, 3}), c, c}, epsilon_attrs(1e-5), "[8, 3] and [7, 3] differ"}};
}
constexpr Gradient late = Gradient::none("made after differentiation");
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "batch_norm_var",
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .infer = infer_var,
                               .gradient = late,
                               .reference = {var_kernel<float>, var_kernel<double>},
                               .batch = Batch::reduced,
                               .flops = flops,
                               .samples = var_samples,
                               .rejects = var_rejects},
                              {.name = "batch_norm_weight_grad",
                               .min_inputs = 4,
                               .max_inputs = 4,
                               .infer = infer_weight_grad,
                               .gradient = late,
                               .reference = {weight_grad_kernel<float>, weight_grad_kernel<double>},
                               .batch = Batch::reduced,
                               .flops = flops,
                               .samples = weight_grad_samples,
                               .rejects = weight_grad_rejects},
                              {.name = "batch_norm_input_grad",
                               .min_inputs = 7,
                               .max_inputs = 7,
                               .infer = infer_input_grad,
                               .gradient = late,
                               .reference = {input_grad_kernel<float>, input_grad_kernel<double>},
                               .batch = Batch::mixed,
                               .flops = flops,
                               .samples = input_grad_samples,
                               .rejects = input_grad_rejects}};
  return ops;
}

}  // namespace goneuron::batch_norm_parts_op
