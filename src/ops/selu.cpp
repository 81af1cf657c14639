// selu(x) (Klambauer et al. 2017). selu_grad(y, dy): dy scale where y > 0, else dy (y + scale
// alpha).
#include "ops/activation.h"
#include "ops/unary.h"

namespace goneuron::selu_op {

namespace {
struct Formula : Plain {
  using Plain::Plain;
  double operator()(double x) const { return activation::selu(x); }
};
struct GradFormula : Plain {
  using Plain::Plain;
  double operator()(double y, double dy) const {
    return y > 0 ? dy * activation::selu_scale
                 : dy * (y + activation::selu_scale * activation::selu_alpha);
  }
};
std::vector<Symbol> gradient(const GradContext& c) {
  return {make("selu_grad", {c.output(), c.grad()})};
}
std::vector<OpSample> samples() { return {{{f32({2, 3})}, {}, -2, 2, {0}}}; }
std::vector<OpSample> grad_samples() { return {{{f32({2, 3}), f32({2, 3})}}}; }
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "selu",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer_unary,
                               .gradient = gradient,
                               .reference = unary_reference<Formula>,
                               .in_place = any_input,
                               .flops = elementwise_flops,
                               .samples = samples,
                               .rejects = reject_unary_types},
                              {.name = "selu_grad",
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

}  // namespace goneuron::selu_op
