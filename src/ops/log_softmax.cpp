// log_softmax over the last axis, and log_softmax_grad(y, dy): dx = dy - exp(y) sum(dy).
#include "ops/rows.h"

namespace goneuron::log_softmax_op {

namespace {
template <class T>
void kernel(const KernelArgs& args) {
  for_rows<T>(args, [](const T* x, T* y, i64 n) {
    const double shift = log_sum_exp(x, n);
    for (i64 j = 0; j < n; ++j) y[j] = static_cast<T>(double{x[j]} - shift);
  });
}

template <class T>
void grad_kernel(const KernelArgs& args) {
  for_row_pairs<T>(args, [](const T* y, const T* dy, T* dx, i64 n) {
    double total = 0;
    for (i64 j = 0; j < n; ++j) total += double{dy[j]};
    for (i64 j = 0; j < n; ++j)
      dx[j] = static_cast<T>(double{dy[j]} - std::exp(double{y[j]}) * total);
  });
}

std::vector<Symbol> gradient(const GradContext& c) {
  return {make("log_softmax_grad", {c.output(), c.grad()})};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "log_softmax",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer_rows,
                               .gradient = gradient,
                               .reference = {kernel<float>, kernel<double>},
                               .flops = row_flops,
                               .samples = row_samples,
                               .rejects = row_rejects},
                              {.name = "log_softmax_grad",
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .infer = infer_row_pairs,
                               .gradient = row_second_order,
                               .reference = {grad_kernel<float>, grad_kernel<double>},
                               .flops = row_flops,
                               .samples = row_pair_samples,
                               .rejects = row_pair_rejects}};
  return ops;
}

}  // namespace goneuron::log_softmax_op
