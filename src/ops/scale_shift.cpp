// scale_shift(x){scale, shift}: scale x + shift.
#include "ops/unary.h"

namespace goneuron::scale_shift_op {

namespace {
struct Formula {
  explicit Formula(const Attrs& attrs) : scale(attrs.real("scale")), shift(attrs.real("shift")) {}
  double operator()(double x) const { return scale * x + shift; }
  double scale, shift;
};
std::vector<TensorType> infer(const InferContext& c) {
  check_real(c, "scale", -huge, huge);
  check_real(c, "shift", -huge, huge);
  return infer_unary(c);
}
Attrs options(double scale, double shift) { return {{"scale", scale}, {"shift", shift}}; }
std::vector<Symbol> gradient(const GradContext& c) {
  return {make("scale_shift", {c.grad()}, options(c.attrs().real("scale"), 0))};
}
std::vector<OpSample> samples() {
  return {{{f32({2, 3})}, options(2.5, -1)}, {{f32({})}, options(-0.5, 3)}};
}
std::vector<OpReject> rejects() {
  return {{{f32({2, 3})}, options(INFINITY, 0), "scale is inf"},
          {{f32({2, 3})}, options(1, std::nan("")), "shift is nan"},
          {{f32({2, 3})}, {}, "\"scale\" is missing"},
          {{u8({2, 3})}, options(1, 0), "is u8; it must be f32"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "scale_shift",
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

}  // namespace goneuron::scale_shift_op
