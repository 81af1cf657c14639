// pow(x){exponent}: x to a constant power; NaN for a negative x and a fraction, as everywhere.
#include "ops/unary.h"

namespace goneuron::pow_op {

namespace {
struct Formula {
  explicit Formula(const Attrs& attrs) : exponent(attrs.real("exponent")) {}
  double operator()(double x) const { return std::pow(x, exponent); }
  double exponent;
};

std::vector<TensorType> infer(const InferContext& c) {
  check_real(c, "exponent", -huge, huge);
  return infer_unary(c);
}

std::vector<Symbol> gradient(const GradContext& c) {
  const double exponent = c.attrs().real("exponent");
  const Symbol slope = make("pow", {c.input(0)}, {{"exponent", exponent - 1}});
  return {
      make("mul", {c.grad(), make("scale_shift", {slope}, {{"scale", exponent}, {"shift", 0.0}})})};
}

std::vector<OpSample> samples() {
  return {{{f32({2, 3})}, {{"exponent", 3.0}}},
          {{f32({2, 3})}, {{"exponent", -2.0}}, 0.5, 2},
          {{f32({7})}, {{"exponent", 1.7}}, 0.1, 2},
          {{f32({33, 70})}, {{"exponent", 0.3}}, 0.1, 2, {}, 2, true}};
}
std::vector<OpReject> rejects() {
  return {{{f32({2})}, {{"exponent", std::nan("")}}, "exponent is nan"},
          {{f32({2})}, {}, "\"exponent\" is missing"},
          {{i32({2})}, {{"exponent", 2.0}}, "is i32; it must be f32"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "pow",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = unary_reference<Formula>,
                               .in_place = any_input,
                               .flops = elementwise_flops,
                               .samples = samples,
                               .rejects = rejects}};
  return ops;
}

}  // namespace goneuron::pow_op
