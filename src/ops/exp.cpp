// exp(x).
#include "ops/unary.h"

namespace goneuron::exp_op {

namespace {
struct Formula : Plain {
  using Plain::Plain;
  double operator()(double x) const { return std::exp(x); }
};
std::vector<Symbol> gradient(const GradContext& c) { return {make("mul", {c.grad(), c.output()})}; }
std::vector<OpSample> samples() { return {{{f32({2, 3})}, {}, -2, 2}}; }
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "exp",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer_unary,
                               .gradient = gradient,
                               .reference = unary_reference<Formula>,
                               .in_place = any_input,
                               .flops = elementwise_flops,
                               .samples = samples,
                               .rejects = reject_unary_types}};
  return ops;
}

}  // namespace goneuron::exp_op
