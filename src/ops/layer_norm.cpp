// layer_norm(x[.., c], gamma[c], beta[c]){epsilon} -> y, mean[..], rstd[..]: each row of the last
// axis gets mean 0 and variance 1 (Ba, Kiros & Hinton 2016); rstd = 1 / sqrt(var + epsilon), var
// biased. layer_norm_input_grad(x, gamma, mean, rstd, dy) -> dx; layer_norm_weight_grad(x, mean,
// rstd, dy) -> dgamma[c], dbeta[c], summed over all rows.
#include "ops/row_norm.h"

namespace goneuron::layer_norm_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) {
  check_epsilon(c);
  const auto types = check_row_norm(c, {1, 2}, {});
  return {types.x, types.row, types.row};
}
std::vector<TensorType> infer_input_grad(const InferContext& c) {
  const auto types = check_row_norm(c, {1}, {2, 3});
  check_floating(c, {0, 4});
  return {{check_same_shape(c, 0, 4), types.x.dtype}};
}
std::vector<TensorType> infer_weight_grad(const InferContext& c) {
  const auto types = check_row_norm(c, {}, {1, 2});
  check_floating(c, {0, 3});
  check_same_shape(c, 0, 3);
  return {types.channel, types.channel};
}

std::vector<Symbol> gradient(const GradContext& c) {
  if (!c.grad(0)) return {};
  const Symbol x = c.input(0), mean = c.output(1), rstd = c.output(2);
  const Symbol weights = make("layer_norm_weight_grad", {x, mean, rstd, c.grad(0)});
  return {make("layer_norm_input_grad", {x, c.input(1), mean, rstd, c.grad(0)}), weights,
          output_of(weights, 1)};
}

template <class T>
void kernel(const KernelArgs& args) {
  const Shape& shape = args.inputs[0].shape;
  const i64 n = last_of(shape), rows = row_count(shape);
  const double epsilon = args.attrs.real("epsilon"), count = static_cast<double>(n);
  const T *gamma = input<T>(args, 1), *beta = input<T>(args, 2);
  for (i64 r = 0; r < rows; ++r) {
    const T* x = input<T>(args, 0) + r * n;
    double mean = 0, var = 0;
    for (i64 j = 0; j < n; ++j) mean += double{x[j]};
    mean /= count;
    for (i64 j = 0; j < n; ++j) var += (double{x[j]} - mean) * (double{x[j]} - mean);
    const double rstd = 1 / std::sqrt(var / count + epsilon);
    for (i64 j = 0; j < n; ++j)
      output<T>(args, 0)[r * n + j] =
          static_cast<T>((double{x[j]} - mean) * rstd * double{gamma[j]} + double{beta[j]});
    output<T>(args, 1)[r] = static_cast<T>(mean);
    output<T>(args, 2)[r] = static_cast<T>(rstd);
  }
}

/// dx = rstd (g - mean(g) - xhat mean(g xhat)) with g = dy gamma and xhat = (x - mean) rstd
template <class T>
void input_grad_kernel(const KernelArgs& args) {
  const Shape& shape = args.inputs[0].shape;
  const i64 n = last_of(shape), rows = row_count(shape);
  const T* gamma = input<T>(args, 1);
  for (i64 r = 0; r < rows; ++r) {
    const T *x = input<T>(args, 0) + r * n, *dy = input<T>(args, 4) + r * n;
    const double mean = double{input<T>(args, 2)[r]}, rstd = double{input<T>(args, 3)[r]};
    double sum = 0, dot = 0;
    for (i64 j = 0; j < n; ++j) {
      const double g = double{dy[j]} * double{gamma[j]};
      sum += g;
      dot += g * (double{x[j]} - mean) * rstd;
    }
    sum /= static_cast<double>(n);
    dot /= static_cast<double>(n);
    for (i64 j = 0; j < n; ++j)
      output<T>(args, 0)[r * n + j] = static_cast<T>(
          rstd * (double{dy[j]} * double{gamma[j]} - sum - (double{x[j]} - mean) * rstd * dot));
  }
}

template <class T>
void weight_grad_kernel(const KernelArgs& args) {
  const Shape& shape = args.inputs[0].shape;
  const i64 n = last_of(shape), rows = row_count(shape);
  const T *x = input<T>(args, 0), *dy = input<T>(args, 3);
  for (i64 j = 0; j < n; ++j) {
    double dgamma = 0, dbeta = 0;
    for (i64 r = 0; r < rows; ++r) {
      const double g = double{dy[r * n + j]};
      dgamma +=
          g * (double{x[r * n + j]} - double{input<T>(args, 1)[r]}) * double{input<T>(args, 2)[r]};
      dbeta += g;
    }
    output<T>(args, 0)[j] = static_cast<T>(dgamma);
    output<T>(args, 1)[j] = static_cast<T>(dbeta);
  }
}

Attrs epsilon_of(double value) { return {{"epsilon", value}}; }
std::vector<OpSample> samples() {
  auto all = row_norm_samples("xcc", epsilon_of(1e-5));
  all[1].attrs = epsilon_of(0.1);
  return all;
}
std::vector<OpSample> input_grad_samples() { return row_norm_samples("xcrrx", {}, 0.2); }
std::vector<OpSample> weight_grad_samples() { return row_norm_samples("xrrx", {}, 0.2); }

std::vector<OpReject> rejects() {
  const TensorType c = f32({3});
  return {{{f32({8, 4}), c, c}, epsilon_of(1e-5), "input 2 is [3]; it must be [4]"},
          {{f32({8, 3}), c, f32({8, 3})}, epsilon_of(1e-5), "input 3 is [8, 3]; it must be [3]"},
          {{f32({8, 3}), c, c}, epsilon_of(-1), "epsilon is -1"},
          {{f32({8, 3}), c, c}, {}, "\"epsilon\" is missing"},
          {{i32({8, 3}), c, c}, epsilon_of(1e-5), "input 1 is i32"},
          {{f32({}), c, c}, epsilon_of(1e-5), "is a scalar"}};
}
std::vector<OpReject> input_grad_rejects() {
  const TensorType x = f32({8, 3}), c = f32({3}), r = f32({8});
  return {{{x, c, r, r, f32({7, 3})}, {}, "[8, 3] and [7, 3] differ"},
          {{x, c, c, r, x}, {}, "input 3 is [3]; it must be [8]"}};
}
std::vector<OpReject> weight_grad_rejects() {
  const TensorType x = f32({8, 3}), r = f32({8});
  return {{{x, r, r, f32({7, 3})}, {}, "[8, 3] and [7, 3] differ"},
          {{x, r, f32({7}), x}, {}, "input 3 is [7]; it must be [8]"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "layer_norm",
                               .min_inputs = 3,
                               .max_inputs = 3,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = {kernel<float>, kernel<double>},
                               .detached = 0b110,
                               .flops = row_norm_flops,
                               .samples = samples,
                               .rejects = rejects},
                              {.name = "layer_norm_input_grad",
                               .min_inputs = 5,
                               .max_inputs = 5,
                               .infer = infer_input_grad,
                               .gradient = norm_second_order,
                               .reference = {input_grad_kernel<float>, input_grad_kernel<double>},
                               .flops = row_norm_flops,
                               .samples = input_grad_samples,
                               .rejects = input_grad_rejects},
                              {.name = "layer_norm_weight_grad",
                               .min_inputs = 4,
                               .max_inputs = 4,
                               .infer = infer_weight_grad,
                               .gradient = norm_second_order,
                               .reference = {weight_grad_kernel<float>, weight_grad_kernel<double>},
                               .batch = Batch::reduced,
                               .flops = row_norm_flops,
                               .samples = weight_grad_samples,
                               .rejects = weight_grad_rejects}};
  return ops;
}

}  // namespace goneuron::layer_norm_op
