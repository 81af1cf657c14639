// matmul(a, b){ta, tb}: the leading dimensions of `a` are rows. Plain: a[.., k] b[k, n] -> [.., n];
// tb: b is [n, k]; ta: a[R.., k], b[R.., n] -> [k, n], summed over the rows: the gradient of a
// weight.
#include "ops/common.h"

namespace goneuron::matmul_op {

namespace {
std::string dim_text(i64 dim) { return dim == Any ? "not known" : std::to_string(dim); }

std::vector<TensorType> infer_rows_summed(const InferContext& c, DType dtype) {
  const Shape &a = c.shape(0), &b = c.shape(1);
  check_last_axis(c, 1);
  if (!agree(without_last(a), without_last(b)))
    c.fail(
        "the rows differ: " + a.str() + " and " + b.str() + " must agree in all but the last axis",
        "check what feeds it");
  return {{Shape{a[-1], b[-1]}, dtype}};
}

std::vector<TensorType> infer(const InferContext& c) {
  const DType dtype = check_floating(c, {0, 1});
  const bool ta = check_flag(c, "ta"), tb = check_flag(c, "tb");
  if (ta && tb) c.fail("ta and tb together are not supported", "swap the operands instead");
  check_last_axis(c, 0);
  if (ta) return infer_rows_summed(c, dtype);
  const Shape &a = c.shape(0), &b = c.shape(1);
  if (b.rank() != 2)
    c.fail(
        "the right operand is " + b.str() + "; it must be a matrix " + (tb ? "[n, k]" : "[k, n]"),
        "reshape it; a product for each sample is batch_matmul");
  const i64 inner = b[tb ? 1 : 0];
  if (!agree(a[-1], inner))
    c.fail("the last axis of the left operand is " + dim_text(a[-1]) + ", the right one expects " +
               dim_text(inner),
           "make the two equal");
  Shape shape = a;
  shape.set(-1, b[tb ? 0 : 1]);
  return {{shape, dtype}};
}

Symbol product(const Symbol& a, const Symbol& b, i64 ta, i64 tb) {
  return make("matmul", {a, b}, {{"ta", ta}, {"tb", tb}});
}

std::vector<Symbol> gradient(const GradContext& c) {
  const Symbol a = c.input(0), b = c.input(1), dy = c.grad();
  if (c.attrs().integer("ta", 0)) return {product(b, dy, 0, 1), product(a, dy, 0, 0)};
  if (c.attrs().integer("tb", 0)) return {product(dy, b, 0, 0), product(dy, a, 1, 0)};
  return {product(dy, b, 0, 1), product(a, dy, 1, 0)};
}

template <class T>
void kernel(const KernelArgs& args) {
  const T *a = input<T>(args, 0), *b = input<T>(args, 1);
  T* y = output<T>(args, 0);
  const Shape &sa = args.inputs[0].shape, &sb = args.inputs[1].shape;
  const bool ta = args.attrs.integer("ta", 0), tb = args.attrs.integer("tb", 0);
  const i64 m = ta ? last_of(sa) : row_count(sa), k = ta ? row_count(sa) : last_of(sa);
  const i64 n = tb ? sb[0] : last_of(sb);
  // y[i, j] = sum over p of a[i am + p ak] b[p bk + j bn]
  const i64 am = ta ? 1 : k, ak = ta ? m : 1, bk = tb ? 1 : n, bn = tb ? k : 1;
  for (i64 i = 0; i < m; ++i)
    for (i64 j = 0; j < n; ++j) {
      double sum = 0;
      for (i64 p = 0; p < k; ++p) sum += double{a[i * am + p * ak]} * double{b[p * bk + j * bn]};
      y[i * n + j] = static_cast<T>(sum);
    }
}

double flops(const std::vector<TensorType>& inputs, const std::vector<TensorType>& outputs,
             const Attrs& attrs) {
  const Shape& a = inputs[0].shape;
  return 2 * count(outputs[0]) * static_cast<double>(attrs.integer("ta", 0) ? row_count(a) : a[-1]);
}

std::vector<OpSample> samples() {
  const Attrs ta{{"ta", i64{1}}}, tb{{"tb", i64{1}}};
  return {{{f32({2, 3}), f32({3, 4})}},
          {{f32({2, 3, 4}), f32({4, 2})}},
          {{f32({3}), f32({3, 2})}},
          {{f32({2, 3}), f32({4, 3})}, tb},
          {{f32({2, 2, 3}), f32({4, 3})}, tb},
          {{f32({5, 3}), f32({5, 2})}, ta},
          {{f32({2, 3, 4}), f32({2, 3, 2})}, ta},
          {{f32({128, 784}), f32({784, 256})}, {}, -1, 1, {}, 2, true},
          {{f32({128, 784}), f32({128, 256})}, ta, -1, 1, {}, 2, true}};
}
std::vector<OpReject> rejects() {
  const Attrs ta{{"ta", i64{1}}};
  return {{{f32({2, 3}), f32({4, 5})},
           {},
           "last axis of the left operand is 3, the right one expects 4"},
          {{f32({2, 3}), f32({2, 3, 4})}, {}, "must be a matrix [k, n]"},
          {{f32({2, 3}), f32({3, 3})}, {{"ta", i64{1}}, {"tb", i64{1}}}, "ta and tb together"},
          {{f32({2, 3}), f32({4, 3})}, ta, "the rows differ"},
          {{f32({2, 3}), f32({3, 3})}, {{"ta", i64{7}}}, "ta is 7"},
          {{f32({}), f32({3, 3})}, {}, "is a scalar"},
          {{i32({2, 3}), f32({3, 3})}, {}, "input 1 is i32"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "matmul",
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = {kernel<float>, kernel<double>},
                               .bf16 = true,
                               .flops = flops,
                               .samples = samples,
                               .rejects = rejects}};
  return ops;
}

}  // namespace goneuron::matmul_op
