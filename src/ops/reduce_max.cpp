// reduce_max(x){axes, keep} and reduce_min: the largest and the smallest element over axes; NaN
// wins. extreme_grad(x, y, dy){axes, keep} -> dy shared evenly among the elements that are equal to
// y, as in PyTorch's amax.
#include "ops/reduce.h"

namespace goneuron::reduce_max_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) {
  const auto types = infer_reduce(c);
  for (const i64 axis : c.attrs.list("axes"))
    if (c.shape(0)[static_cast<int>(axis)] == 0)
      c.fail("axis " + std::to_string(axis) + " of " + c.shape(0).str() + " has no elements",
             "reduce an axis with at least one");
  return types;
}
std::vector<TensorType> infer_grad(const InferContext& c) {
  const DType dtype = check_floating(c, {0, 1, 2});
  check_axes(c, c.shape(0));
  const Shape reduced = reduced_shape(c.shape(0), c.attrs);
  check_shape(c, 1, reduced, "the reduced input");
  check_shape(c, 2, reduced, "the gradient");
  return {{c.shape(0), dtype}};
}

std::vector<Symbol> gradient(const GradContext& c) {
  return {make("extreme_grad", {c.input(0), c.output(), c.grad()}, c.attrs())};
}

template <class T, bool kMax>
void kernel(const KernelArgs& args) {
  T* y = output<T>(args, 0);
  const T* x = input<T>(args, 0);
  std::fill_n(y, args.outputs[0].size(), static_cast<T>(kMax ? -INFINITY : INFINITY));
  for_reduced(args.inputs[0].shape, args.attrs.list("axes"), [&](i64 i, i64 j) {
    if ((kMax ? x[i] > y[j] : x[i] < y[j]) || std::isnan(x[i])) y[j] = x[i];
  });
}

template <class T>
void grad_kernel(const KernelArgs& args) {
  const T *x = input<T>(args, 0), *y = input<T>(args, 1), *dy = input<T>(args, 2);
  const Shape& shape = args.inputs[0].shape;
  const auto& axes = args.attrs.list("axes");
  T* dx = output<T>(args, 0);
  // How many share is counted again for each element: no scratch memory.
  for_reduced(shape, axes, [&](i64 i, i64 j) {
    double shares = 0;
    if (x[i] == y[j])
      for_reduced(shape, axes, [&](i64 k, i64 m) { shares += m == j && x[k] == y[j] ? 1 : 0; });
    dx[i] = shares > 0 ? static_cast<T>(double{dy[j]} / shares) : T{0};
  });
}

std::vector<OpSample> samples() {
  auto all = reduce_samples();
  all.push_back({{f32({9, 33, 20})}, over({1}), -2, 2, {}, 2, true});
  return all;
}
std::vector<OpSample> grad_samples() {
  return {{{f32({2, 3, 4}), f32({2, 4}), f32({2, 4})}, over({1})},
          {{f32({2, 3}), f32({2, 1}), f32({2, 1})}, over({1}, 1)},
          {{f32({3}), f32({}), f32({})}, over({0})},
          {{f32({9, 13, 20}), f32({9, 20}), f32({9, 20})}, over({1}), 0, 0.1, {}, 2, true},
          {{f32({9, 130}), f32({9}), f32({9})}, over({1}), 0, 0.1, {}, 2, true}};
}
std::vector<OpReject> rejects() {
  auto all = reduce_rejects();
  all.push_back({{f32({2, 0})}, over({1}), "axis 1 of [2, 0] has no elements"});
  return all;
}
std::vector<OpReject> grad_rejects() {
  return {
      {{f32({2, 3}), f32({3}), f32({2})}, over({1}), "the reduced input is [3]; it must be [2]"},
      {{f32({2, 3}), f32({2}), f32({3})}, over({1}), "the gradient is [3]; it must be [2]"},
      {{f32({2, 3}), f32({2}), f32({2})}, over({5}), "axis 5 of [2, 3]"}};
}

template <bool kMax>
OpDef extreme(const char* name) {
  return {.name = name,
          .min_inputs = 1,
          .max_inputs = 1,
          .infer = infer,
          .gradient = gradient,
          .reference = {kernel<float, kMax>, kernel<double, kMax>},
          .batch = Batch::reduced,
          .flops = reduce_flops,
          .samples = samples,
          .rejects = rejects};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {
      extreme<true>("reduce_max"),
      extreme<false>("reduce_min"),
      {.name = "extreme_grad",
       .min_inputs = 3,
       .max_inputs = 3,
       .infer = infer_grad,
       .gradient = Gradient::none("second derivatives of a maximum are not supported"),
       .reference = {grad_kernel<float>, grad_kernel<double>},
       .flops = elementwise_flops,
       .samples = grad_samples,
       .rejects = grad_rejects}};
  return ops;
}

}  // namespace goneuron::reduce_max_op
