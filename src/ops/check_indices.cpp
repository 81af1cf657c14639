// check_indices(indices){below} and check_indices(indices, like x){axis} -> the same indices, with
// those outside [0, below), or [0, the axis's length), as 0. The first of those sets the status
// word, so that the step changes nothing. One op does it, and in one tile, so that the status has
// one writer however the ops behind it are cut.
#include "ops/common.h"

namespace goneuron::check_indices_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) {
  check_dtype(c, 0, DType::i32, "the indices");
  if (c.inputs.size() > 1)
    check_integer(c, "axis", c.attrs.integer("axis"), 0, c.shape(1).rank() - 1);
  else
    check_integer(c, "below", c.attrs.integer("below"), 1, i64{1} << 31);
  return {{c.shape(0), DType::i32}};
}

void kernel(const KernelArgs& args) {
  const i64 size = args.inputs[0].size();
  const i64 below = args.inputs.size() > 1
                        ? args.inputs[1].shape[static_cast<int>(args.attrs.integer("axis"))]
                        : args.attrs.integer("below");
  const Shape& shape = args.inputs[0].shape;
  const i64 samples = shape.rank() == 0 ? 1 : std::max<i64>(shape[0], 1);
  const auto* from = input<std::int32_t>(args, 0);
  auto* to = output<std::int32_t>(args, 0);
  for (i64 i = 0; i < size; ++i) {
    const bool good = from[i] >= 0 && from[i] < below;
    to[i] = good ? from[i] : 0;
    if (good || args.scalars.code != status_ok) continue;
    args.scalars.row = args.scalars.first_sample + i / (size / samples);
    args.scalars.value = from[i];
    args.scalars.code = status_index_range;
  }
}

Attrs below(i64 count) { return {{"below", count}}; }
std::vector<OpSample> samples() {
  return {{{i32({2, 3})}, below(7), -2, 2, {}, 7},
          {{i32({4})}, below(2), -2, 2, {}, 5},
          {{i32({})}, below(3), -2, 2, {}, 3},
          {{i32({2, 3}), f32({2, 5})}, {{"axis", i64{1}}}, -2, 2, {}, 7}};
}
std::vector<OpReject> rejects() {
  return {{{f32({2, 3})}, below(7), "the indices are f32; they must be i32"},
          {{i32({2, 3})}, below(0), "below is 0"},
          {{i32({2, 3})}, {}, "\"below\" is missing"},
          {{i32({2, 3}), f32({2, 5})}, {{"axis", i64{2}}}, "axis is 2"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "check_indices",
                               .min_inputs = 1,
                               .max_inputs = 2,
                               .infer = infer,
                               .gradient = Gradient::none("indices are integers"),
                               .reference = {kernel, kernel},
                               .shape_only = 0b10,
                               .samples = samples,
                               .rejects = rejects}};
  return ops;
}

}  // namespace goneuron::check_indices_op
