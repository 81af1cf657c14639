// sqrt(x).
#include "ops/unary.h"

namespace goneuron::sqrt_op {

namespace {
struct Formula : Plain {
  using Plain::Plain;
  double operator()(double x) const { return std::sqrt(x); }
};
std::vector<Symbol> gradient(const GradContext& c) {
  const Symbol half = make("scale_shift", {c.grad()}, {{"scale", 0.5}, {"shift", 0.0}});
  return {make("div", {half, c.output()})};
}
std::vector<OpSample> samples() { return {{{f32({2, 3})}, {}, 0.2, 2}}; }
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "sqrt",
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

}  // namespace goneuron::sqrt_op
