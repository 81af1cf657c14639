// mean(x){axes, keep}, and its gradient mean_grad(dy, like x): dy / count, spread.
#include "ops/reduce.h"

namespace goneuron::mean_op {

namespace {
std::vector<Symbol> gradient(const GradContext& c) {
  return {make("mean_grad", {c.grad(), c.input(0)}, c.attrs())};
}
std::vector<Symbol> grad_gradient(const GradContext& c) {
  return {make("mean", {c.grad()}, c.attrs()), Symbol{}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {
      {.name = "mean",
       .min_inputs = 1,
       .max_inputs = 1,
       .infer = infer_reduce,
       .gradient = gradient,
       .reference = {reduce_kernel<float, true>, reduce_kernel<double, true>},
       .batch = Batch::reduced,
       .flops = reduce_flops,
       .samples = reduce_samples,
       .rejects = reduce_rejects},
      {.name = "mean_grad",
       .min_inputs = 2,
       .max_inputs = 2,
       .infer = infer_expand,
       .gradient = grad_gradient,
       .reference = {expand_kernel<float, true>, expand_kernel<double, true>},
       .shape_only = 0b10,
       .flops = elementwise_flops,
       .samples = expand_samples,
       .rejects = expand_rejects}};
  return ops;
}

}  // namespace goneuron::mean_op
