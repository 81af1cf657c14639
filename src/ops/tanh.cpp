// tanh(x). tanh_grad(y, dy): dy (1 - y^2).
#include "ops/activation.h"
#include "ops/unary.h"

namespace goneuron::tanh_op {

namespace {
struct Formula : Plain {
  using Plain::Plain;
  double operator()(double x) const { return std::tanh(x); }
};
struct GradFormula : Plain {
  using Plain::Plain;
  double operator()(double y, double dy) const { return dy * (1 - y * y); }
};
std::vector<Symbol> gradient(const GradContext& c) {
  return {make("tanh_grad", {c.output(), c.grad()})};
}
std::vector<OpSample> samples() { return {{{f32({2, 3})}}, {{f32({8})}, {}, -30, 30}}; }
std::vector<OpSample> grad_samples() { return {{{f32({2, 3}), f32({2, 3})}}}; }
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "tanh",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer_unary,
                               .gradient = gradient,
                               .reference = unary_reference<Formula>,
                               .in_place = any_input,
                               .flops = elementwise_flops,
                               .samples = samples,
                               .rejects = reject_unary_types},
                              {.name = "tanh_grad",
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .infer = infer_unary_grad,
                               .gradient = second_order,
                               .reference = unary_grad_reference<GradFormula>,
                               .in_place = any_input,
                               .flops = elementwise_flops,
                               .samples = grad_samples,
                               .rejects = reject_grad_shapes}};
  return ops;
}

}  // namespace goneuron::tanh_op
