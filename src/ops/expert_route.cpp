// expert_route(choices i32 [.., k]){experts} -> order, places, experts, all i32 [rows]: the slots
// sorted by expert, stable, so that every expert's rows lie together (see ops/experts.h).
// expert_share(choices){experts} -> [experts]: the part of all slots that each expert has.
#include "ops/experts.h"

namespace goneuron::expert_route_op {

namespace {
void check_choices(const InferContext& c) {
  check_dtype(c, 0, DType::i32, "the choices");
  check_last_axis(c, 0);
  check_integer(c, "experts", c.attrs.integer("experts"), 1, 1 << 20);
}
std::vector<TensorType> infer(const InferContext& c) {
  check_choices(c);
  const i64 rows = known_elements(c.shape(0));
  if (rows > std::numeric_limits<std::int32_t>::max())
    c.fail(std::to_string(rows) + " slots do not fit in 32 bits", "use smaller batches");
  const TensorType list{Shape{rows}, DType::i32};
  return {list, list, list};
}
std::vector<TensorType> infer_share(const InferContext& c) {
  check_choices(c);
  return {{Shape{c.attrs.integer("experts")}, DType::f32}};
}

void kernel(const KernelArgs& args) {
  const auto count = static_cast<std::int32_t>(args.attrs.integer("experts"));
  const auto* choices = input<std::int32_t>(args, 0);
  std::int32_t row = 0;
  for (std::int32_t e = 0; e < count; ++e)
    for (i64 slot = 0; slot < args.inputs[0].size(); ++slot) {
      if (std::clamp(choices[slot], 0, count - 1) != e) continue;
      output<std::int32_t>(args, 0)[row] = static_cast<std::int32_t>(slot);
      output<std::int32_t>(args, 1)[slot] = row;
      output<std::int32_t>(args, 2)[row++] = e;
    }
}

template <class T>
void share_kernel(const KernelArgs& args) {
  const i64 count = args.outputs[0].size(), slots = args.inputs[0].size();
  for (i64 e = 0; e < count; ++e) {
    i64 hits = 0;
    for (i64 slot = 0; slot < slots; ++slot) hits += input<std::int32_t>(args, 0)[slot] == e;
    output<T>(args, 0)[e] =
        slots == 0 ? T{0} : static_cast<T>(static_cast<double>(hits) / static_cast<double>(slots));
  }
}

double flops(const std::vector<TensorType>& inputs, const std::vector<TensorType>&, const Attrs&) {
  return 2 * count(inputs[0]);
}

Attrs among(i64 experts) { return {{"experts", experts}}; }
std::vector<OpSample> samples() {
  return {{{i32({5, 2})}, among(3), -2, 2, {}, 3},
          {{i32({2, 4, 2})}, among(8), -2, 2, {}, 5},  // some experts have no rows
          {{i32({6})}, among(2), -2, 2, {}, 4},        // and some choices do not exist
          {{i32({33, 41, 2})}, among(8), -2, 2, {}, 8, true}};
}
std::vector<OpReject> rejects() {
  return {{{f32({5, 2})}, among(3), "the choices are f32; they must be i32"},
          {{i32({5, 2})}, among(0), "experts is 0"},
          {{i32({5, 2})}, {}, "\"experts\" is missing"},
          {{i32({})}, among(3), "is a scalar"}};
}
constexpr Gradient none = Gradient::none("a choice of experts has no slope");
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "expert_route",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer,
                               .gradient = none,
                               .reference = {kernel, kernel},
                               .batch = Batch::mixed,
                               .flops = flops,
                               .samples = samples,
                               .rejects = rejects},
                              {.name = "expert_share",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer_share,
                               .gradient = none,
                               .reference = {share_kernel<float>, share_kernel<double>},
                               .batch = Batch::mixed,
                               .flops = flops,
                               .samples = samples,
                               .rejects = rejects}};
  return ops;
}

}  // namespace goneuron::expert_route_op
