// check_range(x){low, high}: x as it is. The first value outside [low, high] sets the status word,
// so that the step changes nothing; NaN passes, which the loss tells of. As check_indices in one
// tile, so that the status has one writer.
#include "ops/unary.h"

namespace goneuron::check_range_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) {
  check_real(c, "low", -huge, huge);
  check_real(c, "high", c.attrs.real("low"), huge);
  return infer_unary(c);
}

template <class T>
void kernel(const KernelArgs& args) {
  const i64 size = args.inputs[0].size();
  const T* x = input<T>(args, 0);
  T* y = output<T>(args, 0);
  const auto low = static_cast<T>(args.attrs.real("low"));
  const auto high = static_cast<T>(args.attrs.real("high"));
  bool out = false;
  for (i64 i = 0; i < size; ++i) {
    out |= x[i] < low || x[i] > high;
    y[i] = x[i];
  }
  if (out && args.scalars.code == status_ok) args.scalars.code = status_value_range;
}

std::vector<Symbol> gradient(const GradContext& c) { return {c.grad()}; }

Attrs range(double low, double high) { return {{"low", low}, {"high", high}}; }
std::vector<OpSample> samples() {
  return {{{f32({2, 3})}, range(-2, 2)}, {{f32({5, 1})}, range(0, 1), 0.1, 0.9}};
}
std::vector<OpReject> rejects() {
  return {{{f32({2, 3})}, range(1, 0), "high is 0"},
          {{f32({2, 3})}, {{"low", 0.0}}, "\"high\" is missing"},
          {{i32({2, 3})}, range(0, 1), "is i32; it must be f32"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "check_range",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = {kernel<float>, kernel<double>},
                               .in_place = any_input,
                               .guards = true,
                               .samples = samples,
                               .rejects = rejects}};
  return ops;
}

}  // namespace goneuron::check_range_op
