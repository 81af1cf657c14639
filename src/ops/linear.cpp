// linear(x, w[, b]){activation, alpha, keep_input}: activation(x w + b) in one op; made by the
// fusion pass. x [.., k], w [k, n], b [n] -> y [.., n]; with keep_input also z = x w + b.
#include "ops/activation.h"

namespace goneuron::linear_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) {
  const bool bias = c.inputs.size() == 3;
  const DType dtype = bias ? check_floating(c, {0, 1, 2}) : check_floating(c, {0, 1});
  check_last_axis(c, 0);
  check_rank(c, 1, 2, "[in, out]");
  const Shape &x = c.shape(0), &w = c.shape(1);
  if (!agree(x[-1], w[0]))
    c.fail("the last axis is " + std::to_string(x[-1]) + ", the weight expects " +
               std::to_string(w[0]),
           "make the two equal");
  if (bias) check_shape(c, 2, Shape{w[1]}, "the bias");
  activation::check_kind(c);
  Shape shape = x;
  shape.set(-1, w[1]);
  std::vector<TensorType> outputs{{shape, dtype}};
  if (check_flag(c, "keep_input")) outputs.push_back(outputs[0]);
  return outputs;
}

template <class T>
void kernel(const KernelArgs& args) {
  const T *x = input<T>(args, 0), *w = input<T>(args, 1);
  const T* b = args.inputs.size() == 3 ? input<T>(args, 2) : nullptr;
  T* y = output<T>(args, 0);
  T* z = args.outputs.size() == 2 ? output<T>(args, 1) : nullptr;
  const i64 m = row_count(args.inputs[0].shape), k = args.inputs[1].shape[0],
            n = args.inputs[1].shape[1];
  const auto kind = activation::kind_of(args.attrs.text("activation"));
  const double alpha = args.attrs.real("alpha", 0);
  for (i64 i = 0; i < m; ++i)
    for (i64 j = 0; j < n; ++j) {
      double sum = b ? double{b[j]} : 0;
      for (i64 p = 0; p < k; ++p) sum += double{x[i * k + p]} * double{w[p * n + j]};
      if (z) z[i * n + j] = static_cast<T>(sum);
      y[i * n + j] = static_cast<T>(activation::apply(kind, sum, alpha));
    }
}

double flops(const std::vector<TensorType>& inputs, const std::vector<TensorType>& outputs,
             const Attrs&) {
  return 2 * count(outputs[0]) * static_cast<double>(inputs[1].shape[0]);
}

Attrs options(const char* name, double alpha, i64 keep) {
  return {{"activation", std::string(name)}, {"alpha", alpha}, {"keep_input", keep}};
}
std::vector<OpSample> samples() {
  return {
      {{f32({2, 3}), f32({3, 4}), f32({4})}, options("relu", 0, 0), -2, 2, {0}},
      {{f32({2, 3}), f32({3, 4})}, options("tanh", 0, 0)},
      {{f32({2, 2, 3}), f32({3, 4}), f32({4})}, options("gelu", 0, 1)},
      {{f32({2, 3}), f32({3, 4}), f32({4})}, options("elu", 0.7, 1)},
      {{f32({2, 3}), f32({3, 4}), f32({4})}, options("leaky_relu", 0.1, 0)},
      {{f32({128, 784}), f32({784, 256}), f32({256})}, options("relu", 0, 0), -1, 1, {}, 2, true}};
}
std::vector<OpReject> rejects() {
  return {
      {{f32({2, 3}), f32({4, 5})}, options("relu", 0, 0), "last axis is 3, the weight expects 4"},
      {{f32({2, 3}), f32({3, 5}), f32({4})},
       options("relu", 0, 0),
       "the bias is [4]; it must be [5]"},
      {{f32({2, 3}), f32({3, 5})},
       options("softmax", 0, 0),
       "no elementwise activation \"softmax\""},
      {{f32({2, 3}), f32({3, 5})}, options("elu", std::nan(""), 0), "alpha is nan"},
      {{f32({2, 3}), f32({3, 5})}, {}, "\"activation\" is missing"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "linear",
                               .min_inputs = 2,
                               .max_inputs = 3,
                               .infer = infer,
                               .gradient = Gradient::none("made after differentiation"),
                               .reference = {kernel<float>, kernel<double>},
                               .bf16 = true,
                               .flops = flops,
                               .samples = samples,
                               .rejects = rejects}};
  return ops;
}

}  // namespace goneuron::linear_op
