// where(condition, a, b): a where the condition is not 0, else b; all three broadcast.
#include "ops/broadcast.h"

namespace goneuron::where_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) {
  const DType dtype = check_floating(c, {0, 1, 2});
  const auto pair = [&](const Shape& a, const Shape& b) {
    const std::vector<TensorType> types = {{a, dtype}, {b, dtype}};
    return infer_broadcast({c.op, types, c.attrs, nullptr, c.site})[0].shape;
  };
  return {{pair(pair(c.shape(0), c.shape(1)), c.shape(2)), dtype}};
}

std::vector<Symbol> gradient(const GradContext& c) {
  const Symbol zero = scalar(0), condition = c.input(0), dy = c.grad();
  return {Symbol{}, reduce_to(make("where", {condition, dy, zero}), c.input(1)),
          reduce_to(make("where", {condition, zero, dy}), c.input(2))};
}

template <class T>
void kernel(const KernelArgs& args) {
  const Shape& shape = args.outputs[0].shape;
  const T* at[3];
  Strides steps[3], index{};
  for (size_t i = 0; i < 3; ++i) {
    at[i] = input<T>(args, i);
    steps[i] = broadcast_strides(args.inputs[i].shape, shape);
  }
  T* y = output<T>(args, 0);
  const i64 size = shape.elements();
  for (i64 i = 0; i < size; ++i) {
    y[i] = *at[0] != 0 ? *at[1] : *at[2];
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      const auto k = static_cast<size_t>(axis);
      for (size_t j = 0; j < 3; ++j) at[j] += steps[j][k];
      if (++index[k] < shape[axis]) break;
      for (size_t j = 0; j < 3; ++j) at[j] -= steps[j][k] * shape[axis];
      index[k] = 0;
    }
  }
}

std::vector<OpSample> samples() {
  // A condition that moves by 1e-5 is still not 0; at 0 exactly it is a constant of the others.
  return {{{f32({2, 3}), f32({2, 3}), f32({2, 3})}, {}, -2, 2, {0}},
          {{f32({2, 1}), f32({2, 3}), f32({})}, {}, -2, 2, {0}},
          {{f32({2, 3}), f32({3}), f32({2, 1})}, {}, -2, 2, {0}},
          {{f32({9, 33, 1}), f32({9, 33, 70}), f32({70})}, {}, -2, 2, {}, 2, true}};
}
std::vector<OpReject> rejects() {
  return {{{f32({2, 3}), f32({2, 4}), f32({})}, {}, "do not broadcast: axis -1 is 3 and 4"},
          {{f32({2, 3}), f32({2, 3}), f32({4, 3})}, {}, "do not broadcast: axis -2 is 2 and 4"},
          {{i32({2}), f32({2}), f32({2})}, {}, "input 1 is i32"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "where",
                               .min_inputs = 3,
                               .max_inputs = 3,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = {kernel<float>, kernel<double>},
                               .in_place = any_input,
                               .flops = elementwise_flops,
                               .samples = samples,
                               .rejects = rejects}};
  return ops;
}

}  // namespace goneuron::where_op
