// tree_sum(partials[t, ..]) -> [..]: a fixed binary tree over the first axis, so that a sum cut
// into tiles does not depend on who computed them. At each level element i + width / 2 is added to
// element i.
#include "ops/common.h"

namespace goneuron::tree_sum_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) {
  const DType dtype = check_floating(c, {0});
  const Shape& x = c.shape(0);
  if (x.rank() == 0 || x[0] == 0)
    c.fail("there are no partial sums", "give at least one: [tiles, ..]");
  return {{x.without_batch(), dtype}};
}

/// The tree's sum of x[first], x[first + step], ...; in T, since its rounding is what must not
/// change.
template <class T>
T tree(const T* x, i64 first, i64 step, i64 count, i64 stride) {
  if (first + step >= count) return x[first * stride];
  return tree(x, first, 2 * step, count, stride) + tree(x, first + step, 2 * step, count, stride);
}

template <class T>
void kernel(const KernelArgs& args) {
  const i64 count = args.inputs[0].shape[0], size = args.outputs[0].size();
  T* y = output<T>(args, 0);
  for (i64 i = 0; i < size; ++i) y[i] = tree(input<T>(args, 0) + i, 0, 1, count, size);
}

double flops(const std::vector<TensorType>& inputs, const std::vector<TensorType>&, const Attrs&) {
  return count(inputs[0]);
}
std::vector<OpSample> samples() {
  return {{{f32({5, 3})}},
          {{f32({8})}},
          {{f32({1, 2, 2})}},
          {{f32({7, 2})}},
          {{f32({5, 3, 8192})}, {}, -2, 2, {}, 2, true}};
}
std::vector<OpReject> rejects() {
  return {{{f32({})}, {}, "there are no partial sums"}, {{i32({2})}, {}, "is i32; it must be f32"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "tree_sum",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer,
                               .gradient = Gradient::none("made after differentiation"),
                               .reference = {kernel<float>, kernel<double>},
                               .batch = Batch::reduced,
                               .flops = flops,
                               .samples = samples,
                               .rejects = rejects}};
  return ops;
}

}  // namespace goneuron::tree_sum_op
