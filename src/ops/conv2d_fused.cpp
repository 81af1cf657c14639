// conv2d_fused(x, w[, b]){conv attributes, activation, alpha, keep_input}: activation(conv2d(x, w)
// + b) in one op; made by the fusion pass. With keep_input also z = conv2d(x, w) + b.
#include "ops/activation.h"
#include "ops/conv_kernel.h"

namespace goneuron::conv2d_fused_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) {
  const bool bias = c.inputs.size() == 3;
  const DType dtype = bias ? check_floating(c, {0, 1, 2}) : check_floating(c, {0, 1});
  const Shape y = conv_output(c, 0, 1);
  if (bias) check_shape(c, 2, Shape{y[3]}, "the bias");
  activation::check_kind(c);
  std::vector<TensorType> outputs{{y, dtype}};
  if (check_flag(c, "keep_input")) outputs.push_back(outputs[0]);
  return outputs;
}

template <class T>
void kernel(const KernelArgs& args) {
  const ConvSizes s(args.attrs, args.inputs[0].shape, args.inputs[1].shape);
  const T *x = input<T>(args, 0), *w = input<T>(args, 1);
  const T* b = args.inputs.size() == 3 ? input<T>(args, 2) : nullptr;
  T* y = output<T>(args, 0);
  T* z = args.outputs.size() == 2 ? output<T>(args, 1) : nullptr;
  const auto kind = activation::kind_of(args.attrs.text("activation"));
  const double alpha = args.attrs.real("alpha", 0);
  const i64 oh = s.out_h(), ow = s.out_w();
  for (i64 n = 0; n < s.n; ++n)
    for (i64 oy = 0; oy < oh; ++oy)
      for (i64 ox = 0; ox < ow; ++ox)
        for (i64 o = 0; o < s.o; ++o) {
          const double sum = conv_at(s, x, w, n, oy, ox, o, b ? double{b[o]} : 0);
          if (z) *z++ = static_cast<T>(sum);
          *y++ = static_cast<T>(activation::apply(kind, sum, alpha));
        }
}

double flops(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs&) {
  const Shape& y = out[0].shape;
  return conv_flops_of(in[1].shape, static_cast<double>(y[0] * y[1] * y[2]));
}
Attrs options(const char* name, double alpha, i64 keep, Attrs attrs) {
  attrs.set("activation", std::string(name));
  attrs.set("alpha", alpha);
  attrs.set("keep_input", keep);
  return attrs;
}
std::vector<OpSample> samples() {
  return {
      {{f32({2, 4, 5, 2}), f32({3, 3, 2, 3}), f32({3})}, options("relu", 0, 0, window_attrs(1, 1))},
      {{f32({1, 5, 5, 1}), f32({2, 3, 1, 2})}, options("tanh", 0, 0, window_attrs(2, 0))},
      {{f32({1, 5, 4, 2}), f32({3, 2, 2, 1}), f32({1})},
       options("gelu", 0, 1, uneven_window_attrs())},
      {{f32({1, 4, 4, 1}), f32({3, 3, 1, 2}), f32({2})},
       options("leaky_relu", 0.1, 1, window_attrs(1, 1))},
      {{f32({1, 4, 4, 1}), f32({3, 3, 1, 2}), f32({2})},
       options("linear", 0, 1, window_attrs(1, 1))},
      {{f32({1, 4, 5, 4}), f32({2, 2, 2, 6}), f32({6})},
       options("gelu", 0, 1, grouped(dilated(window_attrs(1, 0), 2, 2), 2))},
      {{f32({9, 7, 8, 12}), f32({3, 3, 6, 40}), f32({40})},
       options("silu", 0, 1, grouped(window_attrs(1, 1), 2)),
       -1,
       1,
       {},
       2,
       true},
      {{f32({9, 7, 8, 37}), f32({3, 3, 1, 37}), f32({37})},
       options("silu", 0, 1, grouped(window_attrs(2, 1), 37)),
       -1,
       1,
       {},
       2,
       true},
      {{f32({3, 11, 13, 19}), f32({3, 3, 19, 37}), f32({37})},
       options("silu", 0, 1, window_attrs(2, 1)),
       -1,
       1,
       {},
       2,
       true},
      {{f32({4, 9, 9, 5}), f32({1, 1, 5, 20}), f32({20})},
       options("elu", 0.5, 1, window_attrs(1, 0)),
       -1,
       1,
       {},
       2,
       true},
      {{f32({5, 9, 8, 32}), f32({3, 3, 32, 48}), f32({48})},
       options("gelu", 0, 1, window_attrs(1, 1)),
       -1,
       1,
       {},
       2,
       true},
      {{f32({4, 9, 8, 64}), f32({3, 3, 32, 32}), f32({32})},
       options("silu", 0, 1, grouped(window_attrs(1, 1), 2)),
       -1,
       1,
       {},
       2,
       true},
      {{f32({32, 28, 28, 1}), f32({3, 3, 1, 32}), f32({32})},
       options("relu", 0, 0, window_attrs(1, 1)),
       -1,
       1,
       {},
       2,
       true}};
}
std::vector<OpReject> rejects() {
  return {{{f32({2, 3, 3, 1}), f32({5, 5, 1, 2})},
           options("relu", 0, 0, window_attrs(1, 0)),
           "the window is larger than its input: 5 x 5 over 3 x 3"},
          {{f32({2, 3, 3, 1}), f32({3, 3, 1, 2}), f32({3})},
           options("relu", 0, 0, window_attrs(1, 0)),
           "the bias is [3]; it must be [2]"},
          {{f32({2, 3, 3, 1}), f32({3, 3, 1, 2})},
           options("softmax", 0, 0, window_attrs(1, 0)),
           "no elementwise activation \"softmax\""},
          {{i32({2, 3, 3, 1}), f32({3, 3, 1, 2})},
           options("relu", 0, 0, window_attrs(1, 0)),
           "input 1 is i32"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "conv2d_fused",
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

}  // namespace goneuron::conv2d_fused_op
