// square(x): x^2.
#include "ops/unary.h"

namespace goneuron::square_op {

namespace {
struct Formula : Plain {
  using Plain::Plain;
  double operator()(double x) const { return x * x; }
};
std::vector<Symbol> gradient(const GradContext& c) {
  return {
      make("mul", {c.grad(), make("scale_shift", {c.input(0)}, {{"scale", 2.0}, {"shift", 0.0}})})};
}
std::vector<OpSample> samples() { return {{{f32({2, 3})}, {}, -2, 2}}; }
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "square",
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

}  // namespace goneuron::square_op
