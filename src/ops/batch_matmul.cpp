// batch_matmul(a[.., m, k], b[.., k, n]){ta, tb} -> [.., m, n]: one product for each of the leading
// indices, in which a and b agree; ta: a is [.., k, m]; tb: b is [.., n, k].
#include "ops/common.h"

namespace goneuron::batch_matmul_op {

namespace {
bool flag(const Attrs& attrs, const char* name) { return attrs.integer(name, 0) == 1; }

std::vector<TensorType> infer(const InferContext& c) {
  const DType dtype = check_floating(c, {0, 1});
  const bool ta = check_flag(c, "ta"), tb = check_flag(c, "tb");
  const Shape &a = c.shape(0), &b = c.shape(1);
  if (a.rank() < 2 || b.rank() < 2)
    c.fail("operands of " + a.str() + " and " + b.str() + "; both must be [.., rows, columns]",
           "reshape them first");
  Shape shape = a;
  shape.set(-2, a[ta ? -1 : -2]);
  shape.set(-1, b[tb ? -2 : -1]);
  const i64 inner_a = a[ta ? -2 : -1], inner_b = b[tb ? -1 : -2];
  if (!agree(inner_a, inner_b))
    c.fail("the left operand's rows have " + std::to_string(inner_a) +
               " numbers, the right one's "
               "columns " +
               std::to_string(inner_b),
           "make the two equal");
  Shape leading = b;
  if (a.rank() == b.rank())
    for (const int axis : {-1, -2}) leading.set(axis, a[axis]);
  if (!agree(a, leading))
    c.fail("the leading axes of " + a.str() + " and " + b.str() + " differ",
           "bring them to one shape first");
  Shape merged = merge(a, leading);
  for (const int axis : {-1, -2}) merged.set(axis, shape[axis]);
  return {{merged, dtype}};
}

Symbol product(const Symbol& a, const Symbol& b, bool ta, bool tb) {
  return make("batch_matmul", {a, b}, {{"ta", i64{ta}}, {"tb", i64{tb}}});
}

std::vector<Symbol> gradient(const GradContext& c) {
  const Symbol a = c.input(0), b = c.input(1), dy = c.grad();
  const bool ta = flag(c.attrs(), "ta"), tb = flag(c.attrs(), "tb");
  return {ta ? product(b, dy, tb, true) : product(dy, b, false, !tb),
          tb ? product(dy, a, true, ta) : product(a, dy, !ta, false)};
}

template <class T>
void kernel(const KernelArgs& args) {
  const Shape &a = args.inputs[0].shape, &y = args.outputs[0].shape;
  const bool ta = flag(args.attrs, "ta"), tb = flag(args.attrs, "tb");
  const i64 m = y[-2], n = y[-1], k = a[ta ? -2 : -1];
  const i64 batch = m * n == 0 ? 0 : y.elements() / (m * n);
  for (i64 s = 0; s < batch; ++s) {
    const T *x = input<T>(args, 0) + s * m * k, *w = input<T>(args, 1) + s * k * n;
    for (i64 i = 0; i < m; ++i)
      for (i64 j = 0; j < n; ++j) {
        double sum = 0;
        for (i64 p = 0; p < k; ++p)
          sum += double{x[ta ? p * m + i : i * k + p]} * double{w[tb ? j * k + p : p * n + j]};
        output<T>(args, 0)[(s * m + i) * n + j] = static_cast<T>(sum);
      }
  }
}

double flops(const std::vector<TensorType>& inputs, const std::vector<TensorType>& outputs,
             const Attrs& attrs) {
  const Shape& a = inputs[0].shape;
  return 2 * count(outputs[0]) * static_cast<double>(a[flag(attrs, "ta") ? -2 : -1]);
}

Attrs flags(i64 ta, i64 tb) { return {{"ta", ta}, {"tb", tb}}; }
std::vector<OpSample> samples() {
  std::vector<OpSample> all;
  for (const i64 ta : {0, 1})
    for (const i64 tb : {0, 1}) {
      const auto add = [&](std::vector<i64> lead, i64 m, i64 k, i64 n, bool bench) {
        const auto type = [&](i64 rows, i64 columns) {
          std::vector<i64> dims = lead;
          dims.insert(dims.end(), {rows, columns});
          return TensorType{Shape(dims), DType::f32};
        };
        all.push_back({{ta ? type(k, m) : type(m, k), tb ? type(n, k) : type(k, n)},
                       flags(ta, tb),
                       -1,
                       1,
                       {},
                       2,
                       bench});
      };
      add({2}, 2, 3, 4, false);
      add({2, 2}, 3, 1, 2, false);
      add({17, 4}, 20, 9, 33, true);
      add({33}, 31, 40, 5, true);
    }
  all.push_back({{f32({2, 3}), f32({3, 4})}});
  return all;
}
std::vector<OpReject> rejects() {
  return {{{f32({2, 3, 4}), f32({2, 5, 6})}, {}, "rows have 4 numbers, the right one's columns 5"},
          {{f32({2, 3, 4}), f32({3, 4, 6})}, {}, "the leading axes of [2, 3, 4] and [3, 4, 6]"},
          {{f32({2, 3, 4}), f32({4, 6})}, {}, "the leading axes of [2, 3, 4] and [4, 6]"},
          {{f32({4}), f32({4, 6})}, {}, "both must be [.., rows, columns]"},
          {{f32({2, 3}), f32({3, 4})}, {{"ta", i64{7}}}, "ta is 7"},
          {{i32({2, 3}), f32({3, 4})}, {}, "input 1 is i32"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "batch_matmul",
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = {kernel<float>, kernel<double>},
                               .flops = flops,
                               .samples = samples,
                               .rejects = rejects}};
  return ops;
}

}  // namespace goneuron::batch_matmul_op
