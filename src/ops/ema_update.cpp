// ema_update(average, weight){momentum}: average += (1 - momentum) (weight - average), PyTorch's
// lerp; the first step of the optimizer makes it the weight itself. Writes average.
#include "ops/update.h"

namespace goneuron::ema_update_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) {
  const TensorType type = check_update(c);
  check_real(c, "momentum", 0, 1);
  return {type};
}

template <class T>
void kernel(const KernelArgs& args) {
  if (args.scalars.code != status_ok) return keep_variables(args, {0});
  const double share = args.scalars.step > 1 ? 1 - args.attrs.real("momentum") : 1;
  const T *average = input<T>(args, 0), *weight = input<T>(args, 1);
  T* next = output<T>(args, 0);
  const i64 size = args.outputs[0].size();
  for (i64 i = 0; i < size; ++i)
    next[i] = static_cast<T>(double{average[i]} + share * (double{weight[i]} - double{average[i]}));
}

std::vector<OpSample> samples() {
  return {{{f32({5}), f32({5})}, {{"momentum", 0.99}}},
          {{f32({2, 3}), f32({2, 3})}, {{"momentum", 0.5}}}};
}
std::vector<OpReject> rejects() {
  return {{{f32({5}), f32({4})}, {{"momentum", 0.9}}, "[5] and [4] differ"},
          {{f32({5}), f32({5})}, {{"momentum", 1.5}}, "momentum is 1.5"},
          {{f32({5}), i32({5})}, {{"momentum", 0.9}}, "input 2 is i32"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "ema_update",
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .infer = infer,
                               .gradient = no_update_gradient,
                               .reference = {kernel<float>, kernel<double>},
                               .batch = Batch::mixed,
                               .mutates = 0b1,
                               .flops = elementwise_flops,
                               .samples = samples,
                               .rejects = rejects}};
  return ops;
}

}  // namespace goneuron::ema_update_op
