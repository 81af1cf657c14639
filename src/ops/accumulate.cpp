// accumulate(sum, g): sum = sum + share g, or share g for the first batch of an update; share is
// the batch's part of the samples of that update, a scalar of the step. Writes sum.
#include "ops/update.h"

namespace goneuron::accumulate_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) { return {check_update(c)}; }

template <class T>
void kernel(const KernelArgs& args) {
  const StepScalars& s = args.scalars;
  if (s.code != status_ok) return keep_variables(args, {0});
  const T *sum = input<T>(args, 0), *g = input<T>(args, 1);
  T* next = output<T>(args, 0);
  const i64 size = args.outputs[0].size();
  for (i64 i = 0; i < size; ++i)
    next[i] = static_cast<T>((s.adds ? double{sum[i]} : 0) + s.share * double{g[i]});
}

double flops(const std::vector<TensorType>&, const std::vector<TensorType>& outputs, const Attrs&) {
  return 2 * count(outputs[0]);
}
std::vector<OpSample> samples() { return {{{f32({5}), f32({5})}}, {{f32({2, 3}), f32({2, 3})}}}; }
std::vector<OpReject> rejects() {
  return {{{f32({5}), f32({4})}, {}, "[5] and [4] differ"},
          {{f32({5}), i32({5})}, {}, "input 2 is i32"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "accumulate",
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .infer = infer,
                               .gradient = no_update_gradient,
                               .reference = {kernel<float>, kernel<double>},
                               .batch = Batch::mixed,
                               .mutates = 0b1,
                               .flops = flops,
                               .samples = samples,
                               .rejects = rejects}};
  return ops;
}

}  // namespace goneuron::accumulate_op
