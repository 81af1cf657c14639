// differs(x){from} -> f32: 1 where the integer is not `from`, else 0: the mask of targets that
// count.
#include "ops/common.h"

namespace goneuron::differs_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) {
  check_dtype(c, 0, DType::i32, "the class indices");
  c.attrs.integer("from");
  return {{c.shape(0), DType::f32}};
}

template <class T>
void kernel(const KernelArgs& args) {
  const std::int32_t* x = args.inputs[0].as<const std::int32_t>();
  const i64 from = args.attrs.integer("from"), size = args.outputs[0].size();
  for (i64 i = 0; i < size; ++i) output<T>(args, 0)[i] = x[i] != from ? T{1} : T{0};
}

std::vector<OpSample> samples() {
  return {{{i32({6})}, {{"from", i64{1}}}, 0, 1, {}, 3},
          {{i32({2, 5})}, {{"from", i64{0}}}, 0, 1, {}, 3},
          {{i32({2, 5})}, {{"from", i64{-1}}}, 0, 1, {}, 3}};
}
std::vector<OpReject> rejects() {
  return {{{f32({6})}, {{"from", i64{1}}}, "the class indices are f32; they must be i32"},
          {{i32({6})}, {}, "\"from\" is missing"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "differs",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer,
                               .gradient = Gradient::none("it compares integers"),
                               .reference = {kernel<float>, kernel<double>},
                               .flops = elementwise_flops,
                               .samples = samples,
                               .rejects = rejects}};
  return ops;
}

}  // namespace goneuron::differs_op
