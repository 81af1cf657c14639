// silu(x): x sigmoid(x). silu_grad(x, dy): dy s (1 + x (1 - s)), s = sigmoid(x).
#include "ops/activation.h"
#include "ops/unary.h"

namespace goneuron::silu_op {

namespace {
struct Formula : Plain {
  using Plain::Plain;
  double operator()(double x) const { return activation::silu(x); }
};
struct GradFormula : Plain {
  using Plain::Plain;
  double operator()(double x, double dy) const {
    const double s = activation::sigmoid(x);
    return dy * s * (1 + x * (1 - s));
  }
};
std::vector<Symbol> gradient(const GradContext& c) {
  return {make("silu_grad", {c.input(0), c.grad()})};
}
std::vector<OpSample> samples() { return {{{f32({2, 3})}}, {{f32({8})}, {}, -30, 30}}; }
std::vector<OpSample> grad_samples() { return {{{f32({2, 3}), f32({2, 3})}}}; }
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "silu",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer_unary,
                               .gradient = gradient,
                               .reference = unary_reference<Formula>,
                               .in_place = any_input,
                               .flops = elementwise_flops,
                               .samples = samples,
                               .rejects = reject_unary_types},
                              {.name = "silu_grad",
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

}  // namespace goneuron::silu_op
