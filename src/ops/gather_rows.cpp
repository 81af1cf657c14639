// gather_rows(table[v, ..], indices[..]) -> [indices.., ..]: the table's rows in the order of the
// indices, zeros for an index outside [0, v) (check_indices reports those). scatter_rows(indices,
// dy, like table) -> the sum over equal indices of dy's rows, in the shape of the table; rows
// without an index are 0.
#include <cstring>

#include "ops/common.h"

namespace goneuron::gather_rows_op {

namespace {
Shape row_of(const Shape& table) { return Shape(std::vector<i64>(table.begin() + 1, table.end())); }
/// The shape of the gathered rows.
Shape check(const InferContext& c, int table, int indices) {
  const Shape &rows = c.shape(table), &at = c.shape(indices);
  if (rows.rank() == 0) c.fail("the table is a scalar; it must be [rows, ..]", "reshape it");
  check_dtype(c, indices, DType::i32, "the indices");
  const Shape row = row_of(rows);
  if (at.rank() + row.rank() > Shape::max_rank)
    c.fail("indices of " + at.str() + " into " + rows.str() + " give more than 8 axes",
           "use fewer axes");
  std::vector<i64> dims(at.begin(), at.end());
  dims.insert(dims.end(), row.begin(), row.end());
  return Shape(dims);
}

std::vector<TensorType> infer(const InferContext& c) {
  const DType dtype = check_floating(c, {0});
  return {{check(c, 0, 1), dtype}};
}
std::vector<TensorType> infer_scatter(const InferContext& c) {
  const DType dtype = check_floating(c, {1});
  check_shape(c, 1, check(c, 2, 0), "the gradient");
  return {{c.shape(2), dtype}};
}

std::vector<Symbol> gradient(const GradContext& c) {
  return {make("scatter_rows", {c.input(1), c.grad(), c.input(0)}), Symbol{}};
}
std::vector<Symbol> scatter_gradient(const GradContext& c) {
  return {Symbol{}, make("gather_rows", {c.grad(), c.input(0)}), Symbol{}};
}

template <class T>
void kernel(const KernelArgs& args) {
  const Shape& table = args.inputs[0].shape;
  const i64 width = row_of(table).elements(), count = args.inputs[1].size();
  const auto* indices = input<std::int32_t>(args, 1);
  for (i64 i = 0; i < count; ++i) {
    const bool good = indices[i] >= 0 && indices[i] < table[0];
    for (i64 j = 0; j < width; ++j)
      output<T>(args, 0)[i * width + j] = good ? input<T>(args, 0)[indices[i] * width + j] : T{0};
  }
}

/// One sum in double for each element of the table: no scratch memory, and one rounding.
template <class T>
void scatter_kernel(const KernelArgs& args) {
  const Shape& table = args.outputs[0].shape;
  const i64 width = row_of(table).elements(), count = args.inputs[0].size();
  const auto* indices = input<std::int32_t>(args, 0);
  for (i64 r = 0; r < table[0]; ++r)
    for (i64 j = 0; j < width; ++j) {
      double sum = 0;
      for (i64 i = 0; i < count; ++i)
        if (indices[i] == r) sum += double{input<T>(args, 1)[i * width + j]};
      output<T>(args, 0)[r * width + j] = static_cast<T>(sum);
    }
}

double scatter_flops(const std::vector<TensorType>& inputs, const std::vector<TensorType>&,
                     const Attrs&) {
  return count(inputs[1]);
}

OpSample sample(std::vector<TensorType> inputs, i64 below, bool bench = false) {
  return {std::move(inputs), {}, -2, 2, {}, below, bench};
}
std::vector<OpSample> samples() {
  return {sample({f32({5, 3}), i32({4})}, 5),
          sample({f32({3, 2}), i32({2, 3})}, 3),
          sample({f32({4, 3}), i32({6})}, 6),  // two of the indices have no row
          sample({f32({3, 2, 2}), i32({2})}, 3),
          sample({f32({3, 4}), i32({})}, 3),
          sample({f32({100, 48}), i32({33, 9})}, 101, true),
          sample({f32({70, 33}), i32({300})}, 70, true)};
}
std::vector<OpSample> scatter_samples() {
  return {sample({i32({4}), f32({4, 3}), f32({5, 3})}, 5),
          sample({i32({2, 3}), f32({2, 3, 2}), f32({3, 2})}, 3),
          sample({i32({6}), f32({6, 3}), f32({4, 3})}, 6),
          sample({i32({33, 9}), f32({33, 9, 48}), f32({100, 48})}, 101, true),
          sample({i32({300}), f32({300, 133}), f32({70, 133})}, 70, true)};
}
std::vector<OpReject> rejects() {
  return {{{f32({5, 3}), f32({4})}, {}, "the indices are f32; they must be i32"},
          {{f32({}), i32({4})}, {}, "the table is a scalar"},
          {{i32({5, 3}), i32({4})}, {}, "input 1 is i32"},
          {{f32({2, 1, 1, 1, 1}), i32({1, 1, 1, 1, 1})}, {}, "more than 8 axes"}};
}
std::vector<OpReject> scatter_rejects() {
  return {{{i32({4}), f32({3, 3}), f32({5, 3})}, {}, "the gradient is [3, 3]; it must be [4, 3]"},
          {{f32({4}), f32({4, 3}), f32({5, 3})}, {}, "the indices are f32"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "gather_rows",
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = {kernel<float>, kernel<double>},
                               .samples = samples,
                               .rejects = rejects},
                              {.name = "scatter_rows",
                               .min_inputs = 3,
                               .max_inputs = 3,
                               .infer = infer_scatter,
                               .gradient = scatter_gradient,
                               .reference = {scatter_kernel<float>, scatter_kernel<double>},
                               .batch = Batch::reduced,
                               .shape_only = 0b100,
                               .flops = scatter_flops,
                               .samples = scatter_samples,
                               .rejects = scatter_rejects}};
  return ops;
}

}  // namespace goneuron::gather_rows_op
