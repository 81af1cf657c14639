// mul(a, b): a b, broadcasting.
#include "ops/broadcast.h"

namespace goneuron::mul_op {

namespace {
struct Formula {
  static double apply(double a, double b) { return a * b; }
};
std::vector<Symbol> gradient(const GradContext& c) {
  const Symbol a = c.input(0), b = c.input(1);
  return {reduce_to(make("mul", {c.grad(), b}), a), reduce_to(make("mul", {c.grad(), a}), b)};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "mul",
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

}  // namespace goneuron::mul_op
