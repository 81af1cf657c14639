// dropout(x){rate, stream}: zero with probability `rate`, else x / (1 - rate). The mask is a
// function of seed, step, stream and the element's place in the whole batch, so that
// dropout_grad(dy) makes the same one again.
#include "core/rng.h"
#include "ops/common.h"

namespace goneuron::dropout_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) {
  const DType dtype = check_floating(c, {0});
  const double rate = c.attrs.real("rate");
  if (!(rate >= 0 && rate < 1))
    c.fail("rate is " + std::to_string(rate) + "; it must be in [0, 1)", "use e.g. 0.5");
  check_integer(c, "stream", c.attrs.integer("stream"), 0, 0xFFFFFFFF);
  check_last_axis(c, 0);
  return {{c.shape(0), dtype}};
}

std::vector<Symbol> gradient(const GradContext& c) {
  return {make("dropout_grad", {c.grad()}, c.attrs())};
}
std::vector<Symbol> grad_gradient(const GradContext& c) {
  return {make("dropout", {c.grad()}, c.attrs())};
}

template <class T>
void kernel(const KernelArgs& args) {
  const Shape& shape = args.inputs[0].shape;
  const StepScalars& s = args.scalars;
  const i64 size = shape.elements(), per_row = shape[0] == 0 ? 0 : size / shape[0];
  const auto stream = static_cast<std::uint32_t>(args.attrs.integer("stream"));
  const auto step = static_cast<std::uint32_t>(s.counter);
  const double rate = args.attrs.real("rate"), scale = 1 / (1 - rate);
  const auto threshold =
      static_cast<float>(rate);  // words have 24 bits: compare in f32, as vector kernels do
  const T* x = input<T>(args, 0);
  T* y = output<T>(args, 0);
  const auto first = static_cast<std::uint64_t>(s.first_sample * per_row);
  for (i64 i = 0; i < size; ++i) {
    const std::uint64_t element = first + static_cast<std::uint64_t>(i);
    const std::uint32_t word = philox_at(element / 4, stream, step, s.seed)[element % 4];
    y[i] = to_unit(word) >= threshold ? static_cast<T>(double{x[i]} * scale) : T{0};
  }
}

Attrs options(double rate, i64 stream) { return {{"rate", rate}, {"stream", stream}}; }
std::vector<OpSample> samples() {
  return {{{f32({4, 5})}, options(0.5, 1)},
          {{f32({3, 2, 3})}, options(0.2, 7)},
          {{f32({9})}, options(0, 0)},
          {{f32({9, 13, 37})}, options(0.3, 2), -2, 2, {}, 2, true}};
}
std::vector<OpReject> rejects() {
  return {{{f32({4, 5})}, options(1, 0), "rate is 1.000000; it must be in [0, 1)"},
          {{f32({4, 5})}, options(std::nan(""), 0), "rate is nan"},
          {{f32({4, 5})}, options(0.5, -1), "stream is -1"},
          {{i32({4, 5})}, options(0.5, 0), "is i32"},
          {{f32({})}, options(0.5, 0), "is a scalar"}};
}

OpDef row(const char* name, GradientFunction function) {
  return {.name = name,
          .min_inputs = 1,
          .max_inputs = 1,
          .infer = infer,
          .gradient = function,
          .reference = {kernel<float>, kernel<double>},
          .in_place = any_input,
          .flops = elementwise_flops,
          .samples = samples,
          .rejects = rejects};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {row("dropout", gradient), row("dropout_grad", grad_gradient)};
  return ops;
}

}  // namespace goneuron::dropout_op
