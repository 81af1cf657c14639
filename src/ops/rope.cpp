// rope(x){heads, dim, base, scale, inverse}: rotary position embedding (Su et al. 2021) of the
// first `heads` heads of the last axis; the columns behind them stay. Neighbours (2i, 2i + 1) of a
// head turn by position * scale / base^(2i / dim). Its gradient turns back: `inverse`.
#include "ops/common.h"

namespace goneuron::rope_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) {
  const DType dtype = check_floating(c, {0});
  check_rank(c, 0, 3, "[batch, length, features]");
  const i64 heads = check_integer(c, "heads", c.attrs.integer("heads"), 1, 1 << 20);
  const i64 dim = check_integer(c, "dim", c.attrs.integer("dim"), 1, 1 << 20);
  if (dim % 2 != 0)
    c.fail("heads of " + std::to_string(dim) + " features; rotation needs an even number",
           "features turn in pairs: choose heads so that each has an even width");
  const i64 width = c.shape(0)[2];
  if (width != Any && heads * dim > width)
    c.fail(std::to_string(heads) + " heads of " + std::to_string(dim) + " in " + c.shape(0).str(),
           "the last axis must have them all");
  check_real(c, "base", 1e-6, huge);
  check_real(c, "scale", 0, huge);
  check_flag(c, "inverse");
  return {{c.shape(0), dtype}};
}

std::vector<Symbol> gradient(const GradContext& c) {
  Attrs attrs = c.attrs();
  attrs.set("inverse", 1 - attrs.integer("inverse", 0));
  return {make("rope", {c.grad()}, attrs)};
}

template <class T>
void kernel(const KernelArgs& args) {
  const Shape& shape = args.inputs[0].shape;
  const i64 heads = args.attrs.integer("heads"), dim = args.attrs.integer("dim"), width = shape[2];
  const double base = args.attrs.real("base"), scale = args.attrs.real("scale");
  const double sign = args.attrs.integer("inverse", 0) ? -1 : 1;
  for (i64 row = 0; row < shape[0] * shape[1]; ++row) {
    const T* x = input<T>(args, 0) + row * width;
    T* y = output<T>(args, 0) + row * width;
    for (i64 j = 0; j < heads * dim; j += 2) {
      const double position = static_cast<double>(row % shape[1]) * scale;
      const double angle =
          position * std::pow(base, -static_cast<double>(j % dim) / static_cast<double>(dim));
      const double c = std::cos(angle), s = sign * std::sin(angle), a = x[j], b = x[j + 1];
      y[j] = static_cast<T>(a * c - b * s);
      y[j + 1] = static_cast<T>(a * s + b * c);
    }
    for (i64 j = heads * dim; j < width; ++j) y[j] = x[j];
  }
}

Attrs options(i64 heads, i64 dim, double base = 10000, double scale = 1, i64 inverse = 0) {
  return {{"heads", heads}, {"dim", dim}, {"base", base}, {"scale", scale}, {"inverse", inverse}};
}
std::vector<OpSample> samples() {
  return {{{f32({2, 3, 4})}, options(1, 4)},
          {{f32({1, 5, 9})}, options(2, 4, 10, 0.5)},
          {{f32({2, 2, 6})}, options(3, 2, 100, 3, 1)},
          {{f32({4, 40, 100})}, options(3, 32), -2, 2, {}, 2, true},
          {{f32({16, 33, 30})}, options(5, 6, 1000, 0.25), -2, 2, {}, 2, true}};
}
std::vector<OpReject> rejects() {
  return {{{f32({2, 3, 6})}, options(2, 3), "heads of 3 features; rotation needs an even number"},
          {{f32({2, 3, 6})}, options(2, 4), "2 heads of 4 in [2, 3, 6]"},
          {{f32({2, 6})}, options(1, 4), "it must have 3"},
          {{f32({2, 3, 6})}, options(1, 4, 0), "base is 0"},
          {{f32({2, 3, 6})}, options(1, 4, 10, -1), "scale is -1"},
          {{i32({2, 3, 6})}, options(1, 4), "is i32"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "rope",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = {kernel<float>, kernel<double>},
                               .in_place = any_input,
                               .flops = elementwise_flops,
                               .samples = samples,
                               .rejects = rejects}};
  return ops;
}

}  // namespace goneuron::rope_op
