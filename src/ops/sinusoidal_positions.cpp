// sinusoidal_positions(x[.., t, c]) -> x + p, where p[i, 2k] = sin(i / 10000^(2k/c)) and
// p[i, 2k + 1] is the cosine of the same (Vaswani et al. 2017, section 3.5).
#include "ops/sinusoids.h"

namespace goneuron::sinusoidal_positions_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) {
  const DType dtype = check_floating(c, {0});
  if (c.shape(0).rank() < 2)
    c.fail("the input is " + c.shape(0).str() + "; it must be [.., time, features]",
           "reshape it first");
  return {{c.shape(0), dtype}};
}

std::vector<Symbol> gradient(const GradContext& c) { return {c.grad()}; }

template <class T>
void kernel(const KernelArgs& args) {
  const Shape& shape = args.inputs[0].shape;
  const i64 time = shape[-2], width = shape[-1], size = args.inputs[0].size();
  for (i64 i = 0; i < size; ++i)
    output<T>(args, 0)[i] =
        static_cast<T>(double{input<T>(args, 0)[i]} + sinusoid(i / width % time, i % width, width));
}

std::vector<OpSample> samples() {
  return {{{f32({2, 3, 4})}},
          {{f32({5, 7})}},
          {{f32({9, 13, 70})}, {}, -2, 2, {}, 2, true},
          {{f32({3, 200, 64})}, {}, -2, 2, {}, 2, true}};
}
std::vector<OpReject> rejects() {
  return {{{f32({4})}, {}, "it must be [.., time, features]"},
          {{i32({2, 3})}, {}, "is i32; it must be f32"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "sinusoidal_positions",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = {kernel<float>, kernel<double>},
                               .in_place = any_input,
                               .flops = elementwise_flops,
                               .samples = samples,
                               .rejects = rejects}};
  return ops;
}

}  // namespace goneuron::sinusoidal_positions_op
