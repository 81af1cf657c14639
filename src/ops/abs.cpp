// abs(x).
#include "ops/unary.h"

namespace goneuron::abs_op {

namespace {
struct Formula : Plain {
  using Plain::Plain;
  double operator()(double x) const { return std::fabs(x); }
};
// At 0 the gradient is 0, as in PyTorch.
std::vector<Symbol> gradient(const GradContext& c) {
  return {make("mul", {c.grad(), make("sign", {c.input(0)})})};
}
std::vector<OpSample> samples() { return {{{f32({2, 3})}, {}, -2, 2, {0}}}; }
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "abs",
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

}  // namespace goneuron::abs_op
