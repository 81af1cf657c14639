// log_sum_exp(x[.., n]) -> [..]: log(sum(exp(x))) of each row, without overflow;
// log_sum_exp_grad(x, y, dy) -> dx = exp(x - y) dy.
#include "ops/rows.h"

namespace goneuron::log_sum_exp_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) {
  const DType dtype = check_floating(c, {0});
  check_last_axis(c, 0);
  return {{without_last(c.shape(0)), dtype}};
}
std::vector<TensorType> infer_grad(const InferContext& c) {
  const DType dtype = check_floating(c, {0, 1, 2});
  check_last_axis(c, 0);
  const Shape rows = without_last(c.shape(0));
  check_shape(c, 1, rows, "the log-sum-exp");
  check_shape(c, 2, rows, "the gradient of the output");
  return {{c.shape(0), dtype}};
}

std::vector<Symbol> gradient(const GradContext& c) {
  return {make("log_sum_exp_grad", {c.input(0), c.output(), c.grad()})};
}

template <class T>
void kernel(const KernelArgs& args) {
  const i64 n = last_of(args.inputs[0].shape), rows = row_count(args.inputs[0].shape);
  for (i64 r = 0; r < rows; ++r)
    output<T>(args, 0)[r] = static_cast<T>(log_sum_exp(input<T>(args, 0) + r * n, n));
}
template <class T>
void grad_kernel(const KernelArgs& args) {
  const i64 n = last_of(args.inputs[0].shape), rows = row_count(args.inputs[0].shape);
  for (i64 i = 0; i < rows * n; ++i)
    output<T>(args, 0)[i] =
        static_cast<T>(std::exp(double{input<T>(args, 0)[i]} - double{input<T>(args, 1)[i / n]}) *
                       double{input<T>(args, 2)[i / n]});
}

double flops(const std::vector<TensorType>& inputs, const std::vector<TensorType>&, const Attrs&) {
  return 4 * count(inputs[0]);
}
std::vector<OpSample> samples() {
  return {{{f32({2, 3})}},
          {{f32({2, 2, 5})}, {}, -20, 20},
          {{f32({4})}},
          {{f32({37, 29, 8})}, {}, -3, 3, {}, 2, true}};
}
std::vector<OpSample> grad_samples() {
  return {{{f32({2, 3}), f32({2}), f32({2})}},
          {{f32({4}), f32({}), f32({})}},
          {{f32({37, 29, 8}), f32({37, 29}), f32({37, 29})}, {}, -1, 1, {}, 2, true}};
}
std::vector<OpReject> grad_rejects() {
  return {{{f32({2, 3}), f32({3}), f32({2})}, {}, "the log-sum-exp is [3]; it must be [2]"},
          {{f32({2, 3}), f32({2}), f32({2, 1})},
           {},
           "the gradient of the output is [2, 1]; it must be [2]"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {
      {.name = "log_sum_exp",
       .min_inputs = 1,
       .max_inputs = 1,
       .infer = infer,
       .gradient = gradient,
       .reference = {kernel<float>, kernel<double>},
       .flops = flops,
       .samples = samples,
       .rejects = row_rejects},
      {.name = "log_sum_exp_grad",
       .min_inputs = 3,
       .max_inputs = 3,
       .infer = infer_grad,
       .gradient = Gradient::none("second derivatives of log_sum_exp are not supported"),
       .reference = {grad_kernel<float>, grad_kernel<double>},
       .flops = row_flops,
       .samples = grad_samples,
       .rejects = grad_rejects}};
  return ops;
}

}  // namespace goneuron::log_sum_exp_op
