// relu(x): max(x, 0). relu_grad(y, dy): dy where y > 0, else 0.
#include "ops/activation.h"
#include "ops/unary.h"

namespace goneuron::relu_op {

namespace {
struct Formula : Plain {
  using Plain::Plain;
  double operator()(double x) const { return activation::relu(x); }
};
struct GradFormula : Plain {
  using Plain::Plain;
  double operator()(double y, double dy) const { return y <= 0 ? 0 : dy; }
};
std::vector<Symbol> gradient(const GradContext& c) {
  return {make("relu_grad", {c.output(), c.grad()})};
}
std::vector<Symbol> grad_gradient(const GradContext& c) {
  return {Symbol{}, make("relu_grad", {c.input(0), c.grad()})};
}
std::vector<OpSample> samples() {
  return {{{f32({2, 3})}, {}, -2, 2, {0}}, {{f32({256, 1024})}, {}, -2, 2, {0}, 2, true}};
}
std::vector<OpSample> grad_samples() { return {{{f32({2, 3}), f32({2, 3})}, {}, -2, 2, {0}}}; }
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "relu",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer_unary,
                               .gradient = gradient,
                               .reference = unary_reference<Formula>,
                               .in_place = any_input,
                               .flops = elementwise_flops,
                               .samples = samples,
                               .rejects = reject_unary_types},
                              {.name = "relu_grad",
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .infer = infer_unary_grad,
                               .gradient = grad_gradient,
                               .reference = unary_grad_reference<GradFormula>,
                               .in_place = any_input,
                               .flops = elementwise_flops,
                               .samples = grad_samples,
                               .rejects = reject_grad_shapes}};
  return ops;
}

}  // namespace goneuron::relu_op
