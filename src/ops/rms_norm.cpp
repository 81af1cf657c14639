// rms_norm(x[.., c], gamma[c]){epsilon} -> y, rstd[..]: each row of the last axis divided by its
// root mean square (Zhang & Sennrich 2019); rstd = 1 / sqrt(mean(x^2) + epsilon).
// rms_norm_input_grad(x, gamma, rstd, dy) -> dx; rms_norm_weight_grad(x, rstd, dy) -> dgamma[c],
// summed over all rows.
#include "ops/row_norm.h"

namespace goneuron::rms_norm_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) {
  check_epsilon(c);
  const auto types = check_row_norm(c, {1}, {});
  return {types.x, types.row};
}
std::vector<TensorType> infer_input_grad(const InferContext& c) {
  const auto types = check_row_norm(c, {1}, {2});
  check_floating(c, {0, 3});
  return {{check_same_shape(c, 0, 3), types.x.dtype}};
}
std::vector<TensorType> infer_weight_grad(const InferContext& c) {
  const auto types = check_row_norm(c, {}, {1});
  check_floating(c, {0, 2});
  check_same_shape(c, 0, 2);
  return {types.channel};
}

std::vector<Symbol> gradient(const GradContext& c) {
  if (!c.grad(0)) return {};
  const Symbol x = c.input(0), rstd = c.output(1);
  return {make("rms_norm_input_grad", {x, c.input(1), rstd, c.grad(0)}),
          make("rms_norm_weight_grad", {x, rstd, c.grad(0)})};
}

template <class T>
void kernel(const KernelArgs& args) {
  const Shape& shape = args.inputs[0].shape;
  const i64 n = last_of(shape), rows = row_count(shape);
  const double epsilon = args.attrs.real("epsilon");
  const T* gamma = input<T>(args, 1);
  for (i64 r = 0; r < rows; ++r) {
    const T* x = input<T>(args, 0) + r * n;
    double squares = 0;
    for (i64 j = 0; j < n; ++j) squares += double{x[j]} * double{x[j]};
    const double rstd = 1 / std::sqrt(squares / static_cast<double>(n) + epsilon);
    for (i64 j = 0; j < n; ++j)
      output<T>(args, 0)[r * n + j] = static_cast<T>(double{x[j]} * rstd * double{gamma[j]});
    output<T>(args, 1)[r] = static_cast<T>(rstd);
  }
}

/// dx = rstd (g - xhat mean(g xhat)) with g = dy gamma and xhat = x rstd
template <class T>
void input_grad_kernel(const KernelArgs& args) {
  const Shape& shape = args.inputs[0].shape;
  const i64 n = last_of(shape), rows = row_count(shape);
  const T* gamma = input<T>(args, 1);
  for (i64 r = 0; r < rows; ++r) {
    const T *x = input<T>(args, 0) + r * n, *dy = input<T>(args, 3) + r * n;
    const double rstd = double{input<T>(args, 2)[r]};
    double dot = 0;
    for (i64 j = 0; j < n; ++j) dot += double{dy[j]} * double{gamma[j]} * double{x[j]} * rstd;
    dot /= static_cast<double>(n);
    for (i64 j = 0; j < n; ++j)
      output<T>(args, 0)[r * n + j] =
          static_cast<T>(rstd * (double{dy[j]} * double{gamma[j]} - double{x[j]} * rstd * dot));
  }
}

template <class T>
void weight_grad_kernel(const KernelArgs& args) {
  const Shape& shape = args.inputs[0].shape;
  const i64 n = last_of(shape), rows = row_count(shape);
  const T *x = input<T>(args, 0), *dy = input<T>(args, 2);
  for (i64 j = 0; j < n; ++j) {
    double sum = 0;
    for (i64 r = 0; r < rows; ++r)
      sum += double{dy[r * n + j]} * double{x[r * n + j]} * double{input<T>(args, 1)[r]};
    output<T>(args, 0)[j] = static_cast<T>(sum);
  }
}

Attrs epsilon_of(double value) { return {{"epsilon", value}}; }
std::vector<OpSample> samples() {
  auto all = row_norm_samples("xc", epsilon_of(1e-6));
  all[1].attrs = epsilon_of(0.1);
  return all;
}
std::vector<OpSample> input_grad_samples() { return row_norm_samples("xcrx", {}, 0.2); }
std::vector<OpSample> weight_grad_samples() { return row_norm_samples("xrx", {}, 0.2); }

std::vector<OpReject> rejects() {
  const TensorType c = f32({3});
  return {{{f32({8, 4}), c}, epsilon_of(1e-5), "input 2 is [3]; it must be [4]"},
          {{f32({8, 3}), c}, epsilon_of(-1), "epsilon is -1"},
          {{i32({8, 3}), c}, epsilon_of(1e-5), "input 1 is i32"},
          {{f32({}), c}, epsilon_of(1e-5), "is a scalar"}};
}
std::vector<OpReject> input_grad_rejects() {
  const TensorType x = f32({8, 3}), c = f32({3}), r = f32({8});
  return {{{x, c, r, f32({7, 3})}, {}, "[8, 3] and [7, 3] differ"},
          {{x, c, c, x}, {}, "input 3 is [3]; it must be [8]"}};
}
std::vector<OpReject> weight_grad_rejects() {
  const TensorType x = f32({8, 3}), r = f32({8});
  return {{{x, r, f32({7, 3})}, {}, "[8, 3] and [7, 3] differ"},
          {{x, f32({7}), x}, {}, "input 2 is [7]; it must be [8]"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "rms_norm",
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = {kernel<float>, kernel<double>},
                               .detached = 0b10,
                               .flops = row_norm_flops,
                               .samples = samples,
                               .rejects = rejects},
                              {.name = "rms_norm_input_grad",
                               .min_inputs = 4,
                               .max_inputs = 4,
                               .infer = infer_input_grad,
                               .gradient = norm_second_order,
                               .reference = {input_grad_kernel<float>, input_grad_kernel<double>},
                               .flops = row_norm_flops,
                               .samples = input_grad_samples,
                               .rejects = input_grad_rejects},
                              {.name = "rms_norm_weight_grad",
                               .min_inputs = 3,
                               .max_inputs = 3,
                               .infer = infer_weight_grad,
                               .gradient = norm_second_order,
                               .reference = {weight_grad_kernel<float>, weight_grad_kernel<double>},
                               .batch = Batch::reduced,
                               .flops = row_norm_flops,
                               .samples = weight_grad_samples,
                               .rejects = weight_grad_rejects}};
  return ops;
}

}  // namespace goneuron::rms_norm_op
