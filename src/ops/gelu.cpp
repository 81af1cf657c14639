// gelu(x): x Phi(x), exact (Hendrycks & Gimpel 2016). gelu_grad(x, dy): dy (Phi(x) + x phi(x)).
#include "ops/activation.h"
#include "ops/unary.h"

namespace goneuron::gelu_op {

namespace {
struct Formula : Plain {
  using Plain::Plain;
  double operator()(double x) const { return activation::gelu(x); }
};
struct GradFormula : Plain {
  using Plain::Plain;
  double operator()(double x, double dy) const {
    const double density = activation::inverse_sqrt_2pi * std::exp(-0.5 * x * x);
    return dy * (activation::normal_cdf(x) + x * density);
  }
};
std::vector<Symbol> gradient(const GradContext& c) {
  return {make("gelu_grad", {c.input(0), c.grad()})};
}
std::vector<OpSample> samples() { return {{{f32({2, 3})}}, {{f32({8})}, {}, -30, 30}}; }
std::vector<OpSample> grad_samples() { return {{{f32({2, 3}), f32({2, 3})}}}; }
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "gelu",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer_unary,
                               .gradient = gradient,
                               .reference = unary_reference<Formula>,
                               .in_place = any_input,
                               .flops = elementwise_flops,
                               .samples = samples,
                               .rejects = reject_unary_types},
                              {.name = "gelu_grad",
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

}  // namespace goneuron::gelu_op
