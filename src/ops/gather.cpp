// gather(x[n, .., l, ..], indices){axis, samples}: elements of an axis by index. samples = 1: the
// indices are [n, k..], each sample's own; 0: they are [k..], the same for all. The k.. stand where
// the axis was. Zeros for an index outside [0, l) (check_indices reports those). gather_grad(
// indices, dy, like x) adds dy up in the places where it came from.
#include "ops/common.h"

namespace goneuron::gather_op {

namespace {
/// x as [samples, outer, length, inner], the indices as [samples, count].
struct Layout {
  i64 samples = 1, outer = 1, length = 1, inner = 1, count = 1;
  Layout(const Shape& x, const Shape& indices, const Attrs& attrs) {
    const int axis = static_cast<int>(attrs.integer("axis"));
    const bool own = attrs.integer("samples", 0) == 1;
    for (int i = 0; i < x.rank(); ++i)
      (i == 0 && own ? samples : i < axis ? outer : i == axis ? length : inner) *= x[i];
    for (int i = own ? 1 : 0; i < indices.rank(); ++i) count *= indices[i];
  }
};

Shape gathered(const InferContext& c, int data, int indices) {
  const Shape &x = c.shape(data), &at = c.shape(indices);
  check_dtype(c, indices, DType::i32, "the indices");
  check_last_axis(c, data);
  const bool own = check_flag(c, "samples");
  const i64 axis = check_integer(c, "axis", c.attrs.integer("axis"), own, x.rank() - 1);
  if (own && (at.rank() == 0 || !agree(at[0], x[0])))
    c.fail("indices of " + at.str() + " for " + x.str() + "; the first axes must agree",
           "give each sample its own indices, or a constant for all");
  if (x.rank() - 1 + at.rank() - own > Shape::max_rank)
    c.fail("indices of " + at.str() + " into " + x.str() + " give more than 8 axes",
           "use fewer axes");
  std::vector<i64> dims(x.begin(), x.begin() + axis);
  dims.insert(dims.end(), at.begin() + own, at.end());
  dims.insert(dims.end(), x.begin() + axis + 1, x.end());
  return Shape(dims);
}

std::vector<TensorType> infer(const InferContext& c) {
  const DType dtype = check_floating(c, {0});
  return {{gathered(c, 0, 1), dtype}};
}
std::vector<TensorType> infer_grad(const InferContext& c) {
  const DType dtype = check_floating(c, {1});
  check_shape(c, 1, gathered(c, 2, 0), "the gradient");
  return {{c.shape(2), dtype}};
}

std::vector<Symbol> gradient(const GradContext& c) {
  return {make("gather_grad", {c.input(1), c.grad(), c.input(0)}, c.attrs()), Symbol{}};
}
std::vector<Symbol> grad_gradient(const GradContext& c) {
  return {Symbol{}, make("gather", {c.grad(), c.input(0)}, c.attrs()), Symbol{}};
}

template <class T>
void kernel(const KernelArgs& args) {
  const Layout l(args.inputs[0].shape, args.inputs[1].shape, args.attrs);
  const auto* indices = input<std::int32_t>(args, 1);
  T* y = output<T>(args, 0);
  for (i64 s = 0; s < l.samples; ++s)
    for (i64 o = 0; o < l.outer; ++o)
      for (i64 k = 0; k < l.count; ++k) {
        const i64 at = indices[s * l.count + k];
        const T* x = input<T>(args, 0) + ((s * l.outer + o) * l.length + at) * l.inner;
        for (i64 j = 0; j < l.inner; ++j) *y++ = at >= 0 && at < l.length ? x[j] : T{0};
      }
}

/// One sum in double for each element of dx: no scratch memory, and one rounding.
template <class T>
void grad_kernel(const KernelArgs& args) {
  const Layout l(args.outputs[0].shape, args.inputs[0].shape, args.attrs);
  const auto* indices = input<std::int32_t>(args, 0);
  T* dx = output<T>(args, 0);
  for (i64 s = 0; s < l.samples; ++s)
    for (i64 o = 0; o < l.outer; ++o) {
      const T* dy = input<T>(args, 1) + (s * l.outer + o) * l.count * l.inner;
      for (i64 at = 0; at < l.length; ++at)
        for (i64 j = 0; j < l.inner; ++j) {
          double sum = 0;
          for (i64 k = 0; k < l.count; ++k)
            if (indices[s * l.count + k] == at) sum += double{dy[k * l.inner + j]};
          *dx++ = static_cast<T>(sum);
        }
    }
}

double grad_flops(const std::vector<TensorType>& inputs, const std::vector<TensorType>&,
                  const Attrs&) {
  return count(inputs[1]);
}

Attrs along(i64 axis, i64 samples) { return {{"axis", axis}, {"samples", samples}}; }
OpSample sample(std::vector<TensorType> inputs, i64 axis, i64 samples, i64 below,
                bool bench = false) {
  return {std::move(inputs), along(axis, samples), -2, 2, {}, below, bench};
}
std::vector<OpSample> samples() {
  return {sample({f32({2, 4, 3}), i32({2, 2})}, 1, 1, 4),
          sample({f32({2, 4, 3}), i32({2})}, 1, 1, 4),
          sample({f32({2, 3, 4}), i32({2, 2, 2})}, 2, 1, 5),
          sample({f32({2, 4, 3}), i32({5})}, 1, 0, 4),
          sample({f32({4, 3}), i32({})}, 0, 0, 4),
          sample({f32({17, 20, 33}), i32({17, 9})}, 1, 1, 21, true),
          sample({f32({33, 70}), i32({50})}, 1, 0, 70, true)};
}
std::vector<OpSample> grad_samples() {
  return {sample({i32({2, 2}), f32({2, 2, 3}), f32({2, 4, 3})}, 1, 1, 4),
          sample({i32({5}), f32({2, 5, 3}), f32({2, 4, 3})}, 1, 0, 5),
          sample({i32({17, 9}), f32({17, 9, 33}), f32({17, 20, 33})}, 1, 1, 21, true),
          sample({i32({50}), f32({33, 50}), f32({33, 70})}, 1, 0, 70, true)};
}
std::vector<OpReject> rejects() {
  return {{{f32({2, 4}), f32({2})}, along(1, 1), "the indices are f32; they must be i32"},
          {{f32({2, 4}), i32({3})}, along(1, 1), "indices of [3] for [2, 4]"},
          {{f32({2, 4}), i32({2})}, along(0, 1), "axis is 0"},
          {{f32({2, 4}), i32({2})}, along(2, 0), "axis is 2"},
          {{f32({2, 4}), i32({2})}, along(1, 3), "samples is 3"},
          {{i32({2, 4}), i32({2})}, along(1, 1), "input 1 is i32"}};
}
std::vector<OpReject> grad_rejects() {
  return {{{i32({2}), f32({2, 4}), f32({2, 4})}, along(1, 1), "the gradient is [2, 4]"},
          {{f32({2}), f32({2}), f32({2, 4})}, along(1, 1), "the indices are f32"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "gather",
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = {kernel<float>, kernel<double>},
                               .samples = samples,
                               .rejects = rejects},
                              {.name = "gather_grad",
                               .min_inputs = 3,
                               .max_inputs = 3,
                               .infer = infer_grad,
                               .gradient = grad_gradient,
                               .reference = {grad_kernel<float>, grad_kernel<double>},
                               .shape_only = 0b100,
                               .flops = grad_flops,
                               .samples = grad_samples,
                               .rejects = grad_rejects}};
  return ops;
}

}  // namespace goneuron::gather_op
