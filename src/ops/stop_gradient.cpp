// stop_gradient(x): x, through which no gradient flows back.
#include <cstring>

#include "ops/common.h"

namespace goneuron::stop_gradient_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) { return {{c.shape(0), c.dtype(0)}}; }

void kernel(const KernelArgs& args) {
  const TensorRef &x = args.inputs[0], &y = args.outputs[0];
  const i64 bytes = x.size() * dtype_size(x.dtype);
  if (x.data != y.data && bytes > 0) std::memcpy(y.data, x.data, static_cast<size_t>(bytes));
}

std::vector<OpSample> samples() { return {{{f32({2, 3})}}, {{i32({4})}}}; }
std::vector<OpReject> rejects() { return {{{f32({2, 3}), f32({2, 3})}, {}, "2 inputs"}}; }
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "stop_gradient",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer,
                               .gradient = Gradient::stops("it is there to stop it"),
                               .reference = {kernel, kernel},
                               .alias = true,
                               .samples = samples,
                               .rejects = rejects}};
  return ops;
}

}  // namespace goneuron::stop_gradient_op
