// sign(x): -1, 0 or 1.
#include "ops/unary.h"

namespace goneuron::sign_op {

namespace {
struct Formula : Plain {
  using Plain::Plain;
  double operator()(double x) const { return (x > 0) - (x < 0); }
};

std::vector<OpSample> samples() { return {{{f32({2, 3})}, {}, -2, 2, {0}}}; }
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "sign",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer_unary,
                               .gradient = Gradient::none("sign is flat everywhere"),
                               .reference = unary_reference<Formula>,
                               .in_place = any_input,
                               .flops = elementwise_flops,
                               .samples = samples,
                               .rejects = reject_unary_types}};
  return ops;
}

}  // namespace goneuron::sign_op
