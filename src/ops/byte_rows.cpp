// byte_rows(table[v, ..] u8, rows[n] i32) -> [n, ..]: those rows of the table, each byte as value /
// 255 correctly rounded; zeros for a row outside [0, v). How a batch reads images that lie in
// memory as bytes: where they are. Made by the trace, and taken in by convolutions that read bytes.
#include "core/unit_bytes.h"
#include "ops/common.h"

namespace goneuron::byte_rows_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) {
  check_dtype(c, 0, DType::u8, "the bytes");
  check_dtype(c, 1, DType::i32, "the rows");
  check_rank(c, 1, 1, "[rows]");
  if (c.shape(0).rank() == 0) c.fail("the table is a scalar; it must be [rows, ..]", "reshape it");
  return {{c.shape(0).without_batch().with_batch(c.shape(1)[0]), DType::f32}};
}

template <class T>
void kernel(const KernelArgs& args) {
  const i64 count = args.inputs[0].shape[0],
            width = args.inputs[0].shape.without_batch().elements();
  const auto* rows = input<std::int32_t>(args, 1);
  for (i64 i = 0; i < args.inputs[1].size(); ++i)
    for (i64 j = 0; j < width; ++j)
      output<T>(args, 0)[i * width + j] =
          rows[i] >= 0 && rows[i] < count
              ? unit_of(input<std::uint8_t>(args, 0)[rows[i] * width + j])
              : 0;
}

std::vector<OpSample> samples() {
  return {{{u8({4, 3}), i32({3})}, {}, -2, 2, {}, 5},
          {{u8({200, 9, 31}), i32({37})}, {}, -2, 2, {}, 200, true}};
}
std::vector<OpReject> rejects() {
  return {{{f32({2, 3}), i32({2})}, {}, "the bytes are f32; they must be u8"},
          {{u8({2, 3}), f32({2})}, {}, "the rows are f32; they must be i32"},
          {{u8({2, 3}), i32({2, 2})}, {}, "has 2 dimensions; it must have 1"},
          {{u8({}), i32({2})}, {}, "the table is a scalar"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "byte_rows",
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .infer = infer,
                               .gradient = Gradient::stops("bytes have none"),
                               .reference = {kernel<float>, kernel<double>},
                               .samples = samples,
                               .rejects = rejects}};
  return ops;
}

}  // namespace goneuron::byte_rows_op
