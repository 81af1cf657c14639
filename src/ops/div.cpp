// div(a, b): a / b, broadcasting.
#include "ops/broadcast.h"

namespace goneuron::div_op {

namespace {
struct Formula {
  static double apply(double a, double b) { return a / b; }
};
std::vector<Symbol> gradient(const GradContext& c) {
  const Symbol a = c.input(0), b = c.input(1);
  const Symbol da = make("div", {c.grad(), b});  // and db = -da y
  return {reduce_to(da, a), reduce_to(make("neg", {make("mul", {da, c.output()})}), b)};
}
std::vector<OpSample> samples() {
  return {{{f32({2, 3}), f32({2, 3})}, {}, 0.5, 2},
          {{f32({2, 1, 4}), f32({3, 1})}, {}, -2, -0.5},
          {{f32({}), f32({3})}, {}, 0.5, 2}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "div",
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .infer = infer_broadcast,
                               .gradient = gradient,
                               .reference = broadcast_reference<Formula>,
                               .in_place = any_input,
                               .flops = elementwise_flops,
                               .samples = samples,
                               .rejects = rejects_binary}};
  return ops;
}

}  // namespace goneuron::div_op
