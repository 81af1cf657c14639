// sigmoid_binary_cross_entropy(z, t), element by element: the loss of sigmoid(z) against t in [0,
// 1], in the form max(z, 0) - z t + log1p(exp(-|z|)) that cannot overflow.
#include "ops/unary.h"

namespace goneuron::sigmoid_binary_cross_entropy_op {

namespace {
std::vector<Symbol> gradient(const GradContext& c) {
  const Symbol z = c.input(0), t = c.input(1), dy = c.grad();
  return {make("mul", {dy, make("sub", {make("sigmoid", {z}), t})}),
          make("mul", {dy, make("neg", {z})})};
}
struct Formula : Plain {
  using Plain::Plain;
  double operator()(double z, double t) const {
    return (z <= 0 ? 0 : z) - z * t + std::log1p(std::exp(-std::fabs(z)));
  }
};
std::vector<OpSample> samples() {
  return {{{f32({4, 1}), f32({4, 1})}, {}, 0, 1}, {{f32({6}), f32({6})}, {}, -30, 30, {0}}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "sigmoid_binary_cross_entropy",
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .infer = infer_unary_grad,
                               .gradient = gradient,
                               .reference = unary_grad_reference<Formula>,
                               .flops = elementwise_flops,
                               .samples = samples,
                               .rejects = reject_grad_shapes}};
  return ops;
}

}  // namespace goneuron::sigmoid_binary_cross_entropy_op
