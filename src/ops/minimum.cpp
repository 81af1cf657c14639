// minimum(a, b): the smaller one; NaN wins, broadcasting.
#include "ops/broadcast.h"

namespace goneuron::minimum_op {

namespace {
struct Formula {
  static double apply(double a, double b) { return a < b || std::isnan(a) ? a : b; }
};
std::vector<Symbol> gradient(const GradContext& c) {
  const Symbol a = c.input(0), b = c.input(1);
  // Half of the gradient each where they are equal, as in PyTorch.
  const Symbol side = make("sign", {make("sub", {a, b})});
  const Symbol to_a = make("scale_shift", {side}, {{"scale", -0.5}, {"shift", 0.5}});
  const Symbol to_b = make("scale_shift", {side}, {{"scale", 0.5}, {"shift", 0.5}});
  return {reduce_to(make("mul", {c.grad(), to_a}), a), reduce_to(make("mul", {c.grad(), to_b}), b)};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "minimum",
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .infer = infer_broadcast,
                               .gradient = gradient,
                               .reference = broadcast_reference<Formula>,
                               .in_place = any_input,
                               .flops = elementwise_flops,
                               .samples = samples_binary,
                               .rejects = rejects_binary}};
  return ops;
}

}  // namespace goneuron::minimum_op
