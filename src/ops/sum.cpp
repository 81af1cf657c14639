// sum(x){axes, keep}, and its gradient expand_like(dy, like x).
#include "ops/reduce.h"

namespace goneuron::sum_op {

namespace {
std::vector<Symbol> gradient(const GradContext& c) {
  return {make("expand_like", {c.grad(), c.input(0)}, c.attrs())};
}
std::vector<Symbol> grad_gradient(const GradContext& c) {
  return {make("sum", {c.grad()}, c.attrs()), Symbol{}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {
      {.name = "sum",
       .min_inputs = 1,
       .max_inputs = 1,
       .infer = infer_reduce,
       .gradient = gradient,
       .reference = {reduce_kernel<float, false>, reduce_kernel<double, false>},
       .batch = Batch::reduced,
       .flops = reduce_flops,
       .samples = reduce_samples,
       .rejects = reduce_rejects},
      {.name = "expand_like",
       .min_inputs = 2,
       .max_inputs = 2,
       .infer = infer_expand,
       .gradient = grad_gradient,
       .reference = {expand_kernel<float, false>, expand_kernel<double, false>},
       .shape_only = 0b10,
       .flops = elementwise_flops,
       .samples = expand_samples,
       .rejects = expand_rejects}};
  return ops;
}

}  // namespace goneuron::sum_op
