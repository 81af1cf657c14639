// sum_squares(x[..]) -> []: the sum of the squares of all elements, for norms of gradients.
#include "ops/common.h"

namespace goneuron::sum_squares_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) { return {{Shape{}, check_floating(c, {0})}}; }

template <class T>
void kernel(const KernelArgs& args) {
  const T* x = input<T>(args, 0);
  double sum = 0;
  for (i64 i = 0; i < args.inputs[0].size(); ++i) sum += double{x[i]} * double{x[i]};
  *output<T>(args, 0) = static_cast<T>(sum);
}

std::vector<Symbol> gradient(const GradContext& c) {
  return {
      make("mul", {make("scale_shift", {c.input(0)}, {{"scale", 2.0}, {"shift", 0.0}}), c.grad()})};
}
double flops(const std::vector<TensorType>& inputs, const std::vector<TensorType>&, const Attrs&) {
  return 2 * count(inputs[0]);
}
std::vector<OpSample> samples() {
  return {{{f32({5})}}, {{f32({2, 3, 2})}}, {{f32({})}}, {{f32({64, 48})}}};
}
std::vector<OpReject> rejects() { return {{{i32({2})}, {}, "is i32; it must be f32"}}; }
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "sum_squares",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = {kernel<float>, kernel<double>},
                               .batch = Batch::reduced,
                               .flops = flops,
                               .samples = samples,
                               .rejects = rejects}};
  return ops;
}

}  // namespace goneuron::sum_squares_op
