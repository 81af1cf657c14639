// moving_average(state[c], value[c], like x){momentum, unbiased}: state = (1 - momentum) state +
// momentum value; with `unbiased` the value, a biased variance over the n = elements(x) / c rows of
// x, is scaled by n / (n - 1).
#include "ops/update.h"

namespace goneuron::moving_average_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) {
  const DType dtype = check_floating(c, {0, 1});
  check_real(c, "momentum", 0, 1);
  check_flag(c, "unbiased");
  check_last_axis(c, 2);
  check_shape(c, 0, Shape{c.shape(2)[-1]}, "the state");
  return {{check_same_shape(c, 0, 1), dtype}};
}

template <class T>
void kernel(const KernelArgs& args) {
  if (args.scalars.code != status_ok) return keep_variables(args, {0});
  const double momentum = args.attrs.real("momentum"),
               n = static_cast<double>(row_count(args.inputs[2].shape));
  // A single row has no unbiased variance: its 0 is taken as it is.
  const double scale = args.attrs.integer("unbiased", 0) && n > 1 ? n / (n - 1) : 1;
  const T *state = input<T>(args, 0), *value = input<T>(args, 1);
  T* next = output<T>(args, 0);
  const i64 size = args.outputs[0].size();
  for (i64 i = 0; i < size; ++i)
    next[i] =
        static_cast<T>((1 - momentum) * double{state[i]} + momentum * (double{value[i]} * scale));
}

Attrs options(double momentum, i64 unbiased) {
  return {{"momentum", momentum}, {"unbiased", unbiased}};
}
std::vector<OpSample> samples() {
  return {{{f32({3}), f32({3}), f32({8, 3})}, options(0.1, 0)},
          {{f32({3}), f32({3}), f32({2, 2, 2, 3})}, options(0.1, 1)},
          {{f32({3}), f32({3}), f32({1, 3})}, options(0.3, 1)}};
}
std::vector<OpReject> rejects() {
  return {{{f32({3}), f32({3}), f32({8, 4})}, options(0.1, 0), "the state is [3]; it must be [4]"},
          {{f32({3}), f32({3}), f32({8, 3})}, options(1.5, 0), "momentum is 1.5"},
          {{f32({3}), f32({4}), f32({8, 3})}, options(0.1, 0), "[3] and [4] differ"},
          {{f32({3}), f32({3}), f32({8, 3})}, options(0.1, 2), "unbiased is 2"},
          {{f32({3}), f32({3}), f32({})}, options(0.1, 0), "is a scalar"},
          {{f32({3}), i32({3}), f32({8, 3})}, options(0.1, 0), "input 2 is i32"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "moving_average",
                               .min_inputs = 3,
                               .max_inputs = 3,
                               .infer = infer,
                               .gradient = Gradient::none("a state update is the end of a step"),
                               .reference = {kernel<float>, kernel<double>},
                               .batch = Batch::mixed,
                               .mutates = 0b1,
                               .shape_only = 0b100,
                               .flops = elementwise_flops,
                               .samples = samples,
                               .rejects = rejects}};
  return ops;
}

}  // namespace goneuron::moving_average_op
