// elu(x){alpha}: x where x > 0, else alpha (exp(x) - 1). elu_grad(y, dy): dy where y > 0, else dy
// (y + alpha).
#include "ops/activation.h"
#include "ops/unary.h"

namespace goneuron::elu_op {

namespace {
struct Formula : WithAlpha {
  using WithAlpha::WithAlpha;
  double operator()(double x) const { return activation::elu(x, alpha); }
};
struct GradFormula : WithAlpha {
  using WithAlpha::WithAlpha;
  double operator()(double y, double dy) const { return y > 0 ? dy : dy * (y + alpha); }
};
std::vector<Symbol> gradient(const GradContext& c) {
  return {make("elu_grad", {c.output(), c.grad()}, c.attrs())};
}
std::vector<OpSample> samples() {
  return {{{f32({2, 3})}, {{"alpha", 1.0}}, -2, 2, {0}},
          {{f32({7})}, {{"alpha", 0.3}}, -2, 2, {0}}};
}
std::vector<OpSample> grad_samples() { return {{{f32({2, 3}), f32({2, 3})}, {{"alpha", 1.0}}}}; }
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "elu",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer_unary_alpha,
                               .gradient = gradient,
                               .reference = unary_reference<Formula>,
                               .in_place = any_input,
                               .flops = elementwise_flops,
                               .samples = samples,
                               .rejects = reject_unary_alpha},
                              {.name = "elu_grad",
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .infer = infer_unary_grad_alpha,
                               .gradient = second_order,
                               .reference = unary_grad_reference<GradFormula>,
                               .in_place = any_input,
                               .flops = elementwise_flops,
                               .samples = grad_samples,
                               .rejects = reject_grad_alpha}};
  return ops;
}

}  // namespace goneuron::elu_op
