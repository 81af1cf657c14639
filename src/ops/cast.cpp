// cast(x){dtype}: to another dtype; integers are truncated towards zero, held to their range, and 0
// for NaN.
#include <limits>

#include "ops/common.h"

namespace goneuron::cast_op {

namespace {
bool castable(DType dtype) { return dtype != DType::bf16 && dtype != DType::f16; }

std::vector<TensorType> infer(const InferContext& c) {
  const i64 code =
      check_integer(c, "dtype", c.attrs.integer("dtype"), 0, static_cast<i64>(DType::i16));
  const auto to = static_cast<DType>(code);
  if (!castable(to) || !castable(c.dtype(0)))
    c.fail_type(std::string("a cast from ") + dtype_name(c.dtype(0)) + " to " + dtype_name(to) +
                    " is not supported",
                "use f32");
  return {{c.shape(0), to}};
}

std::vector<Symbol> gradient(const GradContext& c) {
  const DType from = c.input(0).dtype();
  if (!is_floating(from) || !is_floating(c.output().dtype())) return {};
  return {make("cast", {c.grad()}, {{"dtype", static_cast<i64>(from)}})};
}

double load(const TensorRef& x, i64 i) {
  switch (x.dtype) {
    case DType::f32:
      return x.as<const float>()[i];
    case DType::f64:
      return x.as<const double>()[i];
    case DType::i32:
      return x.as<const std::int32_t>()[i];
    case DType::i16:
      return x.as<const std::int16_t>()[i];
    case DType::i8:
      return x.as<const std::int8_t>()[i];
    default:
      return x.as<const std::uint8_t>()[i];
  }
}

template <class T>
T whole(double value) {
  if (std::isnan(value)) return 0;
  if (value <= std::numeric_limits<T>::min()) return std::numeric_limits<T>::min();
  if (value >= std::numeric_limits<T>::max()) return std::numeric_limits<T>::max();
  return static_cast<T>(value);
}

void store(const TensorRef& y, i64 i, double value) {
  switch (y.dtype) {
    case DType::f32:
      y.as<float>()[i] = static_cast<float>(value);
      break;
    case DType::f64:
      y.as<double>()[i] = value;
      break;
    case DType::i32:
      y.as<std::int32_t>()[i] = whole<std::int32_t>(value);
      break;
    case DType::i16:
      y.as<std::int16_t>()[i] = whole<std::int16_t>(value);
      break;
    case DType::i8:
      y.as<std::int8_t>()[i] = whole<std::int8_t>(value);
      break;
    default:
      y.as<std::uint8_t>()[i] = whole<std::uint8_t>(value);
      break;
  }
}

void kernel(const KernelArgs& args) {
  const i64 size = args.outputs[0].size();
  for (i64 i = 0; i < size; ++i) store(args.outputs[0], i, load(args.inputs[0], i));
}

Attrs to(DType dtype) { return {{"dtype", static_cast<i64>(dtype)}}; }
std::vector<OpSample> samples() {
  return {{{u8({2, 3})}, to(DType::f32), -2, 2, {}, 255},
          {{i32({2, 3})}, to(DType::f32), -2, 2, {}, 1000},
          {{f32({2, 3})}, to(DType::f32)},
          {{u8({37, 9, 101})}, to(DType::f32), -2, 2, {}, 255, true},
          {{i32({37, 9, 101})}, to(DType::f32), -2, 2, {}, 1000, true},
          {{f32({37, 9, 101})}, to(DType::f32), -2, 2, {}, 2, true},
          {{f32({9})}, to(DType::u8), -200, 700},
          {{f32({9})}, to(DType::i32), -200, 700},
          {{i32({9})}, to(DType::i8), -2, 2, {}, 300}};
}
std::vector<OpReject> rejects() {
  return {{{f32({2, 3})}, to(DType::bf16), "a cast from f32 to bf16 is not supported"},
          {{f32({2, 3})}, {{"dtype", i64{99}}}, "dtype is 99"},
          {{f32({2, 3})}, {{"dtype", 1.0}}, "\"dtype\" is not an integer"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "cast",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = {kernel, kernel},
                               .flops = elementwise_flops,
                               .samples = samples,
                               .rejects = rejects}};
  return ops;
}

}  // namespace goneuron::cast_op
