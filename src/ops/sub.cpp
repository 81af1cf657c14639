// sub(a, b): a - b, broadcasting.
#include "ops/broadcast.h"

namespace goneuron::sub_op {

namespace {
struct Formula {
  static double apply(double a, double b) { return a - b; }
};
std::vector<Symbol> gradient(const GradContext& c) {
  return {reduce_to(c.grad(), c.input(0)), reduce_to(make("neg", {c.grad()}), c.input(1))};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "sub",
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

}  // namespace goneuron::sub_op
