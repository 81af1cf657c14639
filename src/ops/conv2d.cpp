// conv2d(x[n, h, w, c], w[kh, kw, c / groups, o]){strides, pads, dilation, groups} -> [n, h', w',
// o] (cross-correlation), and its gradients conv2d_input_grad(dy, w, like x) and
// conv2d_weight_grad(x, dy, like w), which have gradients of their own.
#include "ops/conv_kernel.h"

namespace goneuron::conv2d_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) {
  const DType dtype = check_floating(c, {0, 1});
  return {{conv_output(c, 0, 1), dtype}};
}
std::vector<TensorType> infer_input_grad(const InferContext& c) {
  const DType dtype = check_floating(c, {0, 1});
  check_shape(c, 0, conv_output(c, 2, 1), "the gradient of the output");
  return {{c.shape(2), dtype}};
}
std::vector<TensorType> infer_weight_grad(const InferContext& c) {
  const DType dtype = check_floating(c, {0, 1});
  check_shape(c, 1, conv_output(c, 0, 2), "the gradient of the output");
  return {{c.shape(2), dtype}};
}

std::vector<Symbol> gradient(const GradContext& c) {
  const Symbol x = c.input(0), w = c.input(1), dy = c.grad();
  return {make("conv2d_input_grad", {dy, w, x}, c.attrs()),
          make("conv2d_weight_grad", {x, dy, w}, c.attrs())};
}
std::vector<Symbol> input_grad_gradient(const GradContext& c) {
  const Symbol dy = c.input(0), w = c.input(1), g = c.grad();
  return {make("conv2d", {g, w}, c.attrs()), make("conv2d_weight_grad", {g, dy, w}, c.attrs()),
          Symbol{}};
}
std::vector<Symbol> weight_grad_gradient(const GradContext& c) {
  const Symbol x = c.input(0), dy = c.input(1), g = c.grad();
  return {make("conv2d_input_grad", {dy, g, x}, c.attrs()), make("conv2d", {x, g}, c.attrs()),
          Symbol{}};
}

template <class T>
void kernel(const KernelArgs& args) {
  const ConvSizes s(args.attrs, args.inputs[0].shape, args.inputs[1].shape);
  const T *x = input<T>(args, 0), *w = input<T>(args, 1);
  T* y = output<T>(args, 0);
  const i64 oh = s.out_h(), ow = s.out_w();
  for (i64 n = 0; n < s.n; ++n)
    for (i64 oy = 0; oy < oh; ++oy)
      for (i64 ox = 0; ox < ow; ++ox)
        for (i64 o = 0; o < s.o; ++o) *y++ = static_cast<T>(conv_at(s, x, w, n, oy, ox, o, 0));
}

/// dx[n, iy, ix, c]: gathered from the windows that saw it; c counts through all groups.
template <class T>
double input_grad_at(const ConvSizes& s, const T* dy, const T* weight, i64 n, i64 iy, i64 ix,
                     i64 c) {
  const Window& w = s.window;
  const i64 oh = s.out_h(), ow = s.out_w(), outputs = s.group_outputs();
  double sum = 0;
  for (i64 ky = 0; ky < w.kernel_h; ++ky) {
    const i64 y = iy + w.pad_top - ky * w.dilation_h, oy = y / w.stride_h;
    if (y < 0 || y % w.stride_h != 0 || oy >= oh) continue;
    for (i64 kx = 0; kx < w.kernel_w; ++kx) {
      const i64 x = ix + w.pad_left - kx * w.dilation_w, ox = x / w.stride_w;
      if (x < 0 || x % w.stride_w != 0 || ox >= ow) continue;
      const i64 first = c / s.c * outputs;
      const T* from = dy + ((n * oh + oy) * ow + ox) * s.o + first;
      const T* by = weight + ((ky * w.kernel_w + kx) * s.c + c % s.c) * s.o + first;
      for (i64 o = 0; o < outputs; ++o) sum += double{from[o]} * double{by[o]};
    }
  }
  return sum;
}

template <class T>
void input_grad_kernel(const KernelArgs& args) {
  const ConvSizes s(args.attrs, args.outputs[0].shape, args.inputs[1].shape);
  const T *dy = input<T>(args, 0), *w = input<T>(args, 1);
  T* dx = output<T>(args, 0);
  for (i64 n = 0; n < s.n; ++n)
    for (i64 iy = 0; iy < s.h; ++iy)
      for (i64 ix = 0; ix < s.w; ++ix)
        for (i64 c = 0; c < s.pixel(); ++c)
          *dx++ = static_cast<T>(input_grad_at(s, dy, w, n, iy, ix, c));
}

/// dw[ky, kx, c, o]
template <class T>
double weight_grad_at(const ConvSizes& s, const T* x, const T* dy, i64 ky, i64 kx, i64 c, i64 o) {
  const Window& w = s.window;
  const i64 oh = s.out_h(), ow = s.out_w();
  double sum = 0;
  for (i64 n = 0; n < s.n; ++n)
    for (i64 oy = 0; oy < oh; ++oy) {
      const i64 iy = oy * w.stride_h - w.pad_top + ky * w.dilation_h;
      if (iy < 0 || iy >= s.h) continue;
      for (i64 ox = 0; ox < ow; ++ox) {
        const i64 ix = ox * w.stride_w - w.pad_left + kx * w.dilation_w;
        if (ix < 0 || ix >= s.w) continue;
        sum += double{x[((n * s.h + iy) * s.w + ix) * s.pixel() + s.first_input(o) + c]} *
               double{dy[((n * oh + oy) * ow + ox) * s.o + o]};
      }
    }
  return sum;
}

template <class T>
void weight_grad_kernel(const KernelArgs& args) {
  const ConvSizes s(args.attrs, args.inputs[0].shape, args.outputs[0].shape);
  const T *x = input<T>(args, 0), *dy = input<T>(args, 1);
  T* dw = output<T>(args, 0);
  for (i64 ky = 0; ky < s.window.kernel_h; ++ky)
    for (i64 kx = 0; kx < s.window.kernel_w; ++kx)
      for (i64 c = 0; c < s.c; ++c)
        for (i64 o = 0; o < s.o; ++o)
          *dw++ = static_cast<T>(weight_grad_at(s, x, dy, ky, kx, c, o));
}

double pixels(const Shape& y) { return static_cast<double>(y[0] * y[1] * y[2]); }
double flops(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs&) {
  return conv_flops_of(in[1].shape, pixels(out[0].shape));
}
double input_grad_flops(const std::vector<TensorType>& in, const std::vector<TensorType>&,
                        const Attrs&) {
  return conv_flops_of(in[1].shape, pixels(in[0].shape));
}
double weight_grad_flops(const std::vector<TensorType>& in, const std::vector<TensorType>& out,
                         const Attrs&) {
  return conv_flops_of(out[0].shape, pixels(in[1].shape));
}

std::vector<OpSample> samples() {
  return {{{f32({2, 4, 5, 2}), f32({3, 3, 2, 3})}, window_attrs(1, 1)},
          {{f32({1, 5, 5, 1}), f32({2, 3, 1, 2})}, window_attrs(2, 0)},
          {{f32({1, 5, 4, 2}), f32({3, 2, 2, 1})}, uneven_window_attrs()},
          {{f32({1, 3, 3, 2}), f32({1, 1, 2, 2})}, window_attrs(2, 1)},
          {{f32({1, 6, 7, 2}), f32({3, 2, 2, 2})}, dilated(uneven_window_attrs(), 2, 3)},
          {{f32({1, 7, 6, 1}), f32({3, 2, 1, 2})}, dilated(window_attrs(4, 1), 2, 2)},
          {{f32({2, 4, 3, 6}), f32({3, 3, 2, 9})}, grouped(window_attrs(1, 1), 3)},
          {{f32({1, 5, 4, 4}), f32({2, 2, 1, 4})}, grouped(dilated(window_attrs(2, 1), 2, 1), 4)},
          {{f32({1, 3, 3, 2}), f32({2, 2, 1, 4})}, grouped(window_attrs(1, 0), 2)},
          {{f32({9, 11, 13, 20}), f32({3, 3, 20, 37})},
           dilated(window_attrs(1, 3), 3, 2),
           -1,
           1,
           {},
           2,
           true},
          {{f32({9, 11, 13, 48}), f32({3, 3, 12, 80})},
           grouped(window_attrs(2, 1), 4),
           -1,
           1,
           {},
           2,
           true},
          {{f32({5, 7, 6, 24}), f32({1, 1, 12, 40})},
           grouped(window_attrs(1, 0), 2),
           -1,
           1,
           {},
           2,
           true},
          {{f32({9, 11, 13, 70}), f32({3, 3, 1, 70})},
           grouped(window_attrs(1, 1), 70),
           -1,
           1,
           {},
           2,
           true},
          {{f32({2, 9, 20, 300}), f32({2, 5, 300, 48})},
           dilated(window_attrs(1, 4), 1, 2),
           -1,
           1,
           {},
           2,
           true},
          {{f32({3, 11, 13, 19}), f32({3, 3, 19, 37})}, window_attrs(1, 1), -1, 1, {}, 2, true},
          {{f32({17, 5, 6, 9}), f32({5, 4, 9, 70})}, window_attrs(3, 2), -1, 1, {}, 2, true},
          {{f32({5, 9, 7, 33}), f32({1, 1, 33, 16})}, window_attrs(1, 0), -1, 1, {}, 2, true},
          {{f32({2, 4, 4, 150}), f32({3, 3, 150, 48})}, window_attrs(1, 4), -1, 1, {}, 2, true},
          {{f32({32, 28, 28, 1}), f32({3, 3, 1, 32})}, window_attrs(1, 1), -1, 1, {}, 2, true},
          {{f32({3, 11, 13, 48}), f32({3, 3, 48, 32})}, window_attrs(1, 1), -1, 1, {}, 2, true},
          {{f32({17, 9, 8, 32}), f32({3, 3, 32, 80})}, window_attrs(1, 0), -1, 1, {}, 2, true},
          {{f32({5, 4, 6, 64}), f32({3, 3, 32, 96})},
           grouped(window_attrs(1, 2), 2),
           -1,
           1,
           {},
           2,
           true},
          {{f32({19, 12, 12, 48}), f32({3, 3, 48, 128})}, window_attrs(1, 1), -1, 1, {}, 2, true},
          {{f32({3, 9, 43, 64}), f32({3, 2, 64, 96})},
           dilated(window_attrs(2, 1), 3, 2),
           -1,
           1,
           {},
           2,
           true},
          {{f32({2, 3, 70, 32}), f32({3, 3, 32, 64})}, window_attrs(1, 1), -1, 1, {}, 2, true}};
}
std::vector<OpSample> input_grad_samples() {
  return {
      {{f32({2, 4, 5, 3}), f32({3, 3, 2, 3}), f32({2, 4, 5, 2})}, window_attrs(1, 1)},
      {{f32({1, 2, 2, 2}), f32({2, 3, 1, 2}), f32({1, 5, 5, 1})}, window_attrs(2, 0)},
      {{f32({1, 2, 4, 1}), f32({3, 2, 2, 1}), f32({1, 5, 4, 2})}, uneven_window_attrs()},
      {{f32({1, 3, 3, 2}), f32({1, 1, 2, 2}), f32({1, 3, 3, 2})}, window_attrs(1, 0)},
      {{f32({1, 2, 2, 2}), f32({1, 1, 3, 2}), f32({1, 4, 3, 3})}, window_attrs(2, 0)},
      {{f32({1, 2, 5, 2}), f32({3, 2, 2, 2}), f32({1, 6, 7, 2})},
       dilated(uneven_window_attrs(), 2, 3)},
      {{f32({1, 2, 2, 2}), f32({3, 2, 1, 2}), f32({1, 7, 6, 1})},
       dilated(window_attrs(4, 1), 2, 2)},
      {{f32({2, 4, 3, 9}), f32({3, 3, 2, 9}), f32({2, 4, 3, 6})}, grouped(window_attrs(1, 1), 3)},
      {{f32({1, 3, 3, 4}), f32({2, 2, 1, 4}), f32({1, 5, 4, 4})},
       grouped(dilated(window_attrs(2, 1), 2, 1), 4)},
      {{f32({1, 2, 2, 4}), f32({2, 2, 1, 4}), f32({1, 3, 3, 2})}, grouped(window_attrs(1, 0), 2)},
      {{f32({9, 11, 15, 37}), f32({3, 3, 20, 37}), f32({9, 11, 13, 20})},
       dilated(window_attrs(1, 3), 3, 2),
       -1,
       1,
       {},
       2,
       true},
      {{f32({9, 3, 4, 37}), f32({3, 3, 20, 37}), f32({9, 11, 13, 20})},
       dilated(window_attrs(3, 1), 2, 2),
       -1,
       1,
       {},
       2,
       true},
      {{f32({9, 6, 7, 80}), f32({3, 3, 12, 80}), f32({9, 11, 13, 48})},
       grouped(window_attrs(2, 1), 4),
       -1,
       1,
       {},
       2,
       true},
      {{f32({9, 6, 7, 70}), f32({3, 3, 1, 70}), f32({9, 11, 13, 70})},
       grouped(window_attrs(2, 1), 70),
       -1,
       1,
       {},
       2,
       true},
      {{f32({3, 11, 13, 37}), f32({3, 3, 19, 37}), f32({3, 11, 13, 19})},
       window_attrs(1, 1),
       -1,
       1,
       {},
       2,
       true},
      {{f32({17, 2, 3, 70}), f32({5, 4, 9, 70}), f32({17, 5, 6, 9})},
       window_attrs(3, 2),
       -1,
       1,
       {},
       2,
       true},
      {{f32({5, 8, 7, 34}), f32({3, 3, 20, 34}), f32({5, 16, 14, 20})},
       window_attrs(2, 1),
       -1,
       1,
       {},
       2,
       true},
      {{f32({2, 10, 10, 48}), f32({3, 3, 150, 48}), f32({2, 4, 4, 150})},
       window_attrs(1, 4),
       -1,
       1,
       {},
       2,
       true},
      {{f32({3, 11, 13, 32}), f32({3, 3, 48, 32}), f32({3, 11, 13, 48})},
       window_attrs(1, 1),
       -1,
       1,
       {},
       2,
       true},
      {{f32({17, 7, 6, 80}), f32({3, 3, 32, 80}), f32({17, 9, 8, 32})},
       window_attrs(1, 0),
       -1,
       1,
       {},
       2,
       true},
      {{f32({5, 6, 8, 96}), f32({3, 3, 32, 96}), f32({5, 4, 6, 64})},
       grouped(window_attrs(1, 2), 2),
       -1,
       1,
       {},
       2,
       true},
      {{f32({19, 12, 12, 128}), f32({3, 3, 48, 128}), f32({19, 12, 12, 48})},
       window_attrs(1, 1),
       -1,
       1,
       {},
       2,
       true},
      {{f32({3, 3, 22, 96}), f32({3, 2, 64, 96}), f32({3, 9, 43, 64})},
       dilated(window_attrs(2, 1), 3, 2),
       -1,
       1,
       {},
       2,
       true},
      {{f32({2, 3, 70, 64}), f32({3, 3, 32, 64}), f32({2, 3, 70, 32})},
       window_attrs(1, 1),
       -1,
       1,
       {},
       2,
       true}};
}
std::vector<OpSample> weight_grad_samples() {
  return {
      {{f32({2, 4, 5, 2}), f32({2, 4, 5, 3}), f32({3, 3, 2, 3})}, window_attrs(1, 1)},
      {{f32({1, 5, 5, 1}), f32({1, 2, 2, 2}), f32({2, 3, 1, 2})}, window_attrs(2, 0)},
      {{f32({1, 5, 4, 2}), f32({1, 2, 4, 1}), f32({3, 2, 2, 1})}, uneven_window_attrs()},
      {{f32({1, 3, 3, 2}), f32({1, 3, 3, 2}), f32({1, 1, 2, 2})}, window_attrs(1, 0)},
      {{f32({1, 6, 7, 2}), f32({1, 2, 5, 2}), f32({3, 2, 2, 2})},
       dilated(uneven_window_attrs(), 2, 3)},
      {{f32({2, 4, 3, 6}), f32({2, 4, 3, 9}), f32({3, 3, 2, 9})}, grouped(window_attrs(1, 1), 3)},
      {{f32({1, 5, 4, 4}), f32({1, 3, 3, 4}), f32({2, 2, 1, 4})},
       grouped(dilated(window_attrs(2, 1), 2, 1), 4)},
      {{f32({1, 3, 3, 2}), f32({1, 2, 2, 4}), f32({2, 2, 1, 4})}, grouped(window_attrs(1, 0), 2)},
      {{f32({9, 11, 13, 20}), f32({9, 11, 15, 37}), f32({3, 3, 20, 37})},
       dilated(window_attrs(1, 3), 3, 2),
       -1,
       1,
       {},
       2,
       true},
      {{f32({25, 11, 13, 48}), f32({25, 6, 7, 80}), f32({3, 3, 12, 80})},
       grouped(window_attrs(2, 1), 4),
       -1,
       1,
       {},
       2,
       true},
      {{f32({9, 11, 13, 70}), f32({9, 11, 13, 70}), f32({3, 3, 1, 70})},
       grouped(window_attrs(1, 1), 70),
       -1,
       1,
       {},
       2,
       true},
      {{f32({3, 11, 13, 19}), f32({3, 11, 13, 37}), f32({3, 3, 19, 37})},
       window_attrs(1, 1),
       -1,
       1,
       {},
       2,
       true},
      {{f32({17, 5, 6, 9}), f32({17, 2, 3, 70}), f32({5, 4, 9, 70})},
       window_attrs(3, 2),
       -1,
       1,
       {},
       2,
       true},
      {{f32({37, 9, 8, 20}), f32({37, 5, 4, 66}), f32({3, 3, 20, 66})},
       window_attrs(2, 1),
       -1,
       1,
       {},
       2,
       true},
      {{f32({3, 11, 13, 48}), f32({3, 11, 13, 32}), f32({3, 3, 48, 32})},
       window_attrs(1, 1),
       -1,
       1,
       {},
       2,
       true},
      {{f32({17, 9, 8, 32}), f32({17, 7, 6, 80}), f32({3, 3, 32, 80})},
       window_attrs(1, 0),
       -1,
       1,
       {},
       2,
       true},
      {{f32({5, 4, 6, 64}), f32({5, 6, 8, 96}), f32({3, 3, 32, 96})},
       grouped(window_attrs(1, 2), 2),
       -1,
       1,
       {},
       2,
       true},
      {{f32({19, 12, 12, 48}), f32({19, 12, 12, 128}), f32({3, 3, 48, 128})},
       window_attrs(1, 1),
       -1,
       1,
       {},
       2,
       true},
      {{f32({3, 9, 43, 64}), f32({3, 3, 22, 96}), f32({3, 2, 64, 96})},
       dilated(window_attrs(2, 1), 3, 2),
       -1,
       1,
       {},
       2,
       true},
      {{f32({2, 3, 70, 32}), f32({2, 3, 70, 64}), f32({3, 3, 32, 64})},
       window_attrs(1, 1),
       -1,
       1,
       {},
       2,
       true}};
}
Attrs with(i64 stride, i64 pad) { return window_attrs(stride, pad); }
std::vector<OpReject> rejects() {
  return {
      {{f32({2, 3, 3, 1}), f32({5, 5, 1, 2})},
       with(1, 0),
       "the window is larger than its input: 5 x 5 over 3 x 3"},
      {{f32({2, 3, 3, 1}), f32({6, 6, 1, 2})}, with(1, 1), "6 x 6 over 3 x 3 (padded by 2 and 2)"},
      {{f32({2, 3, 3, 4}), f32({3, 3, 1, 2})},
       with(1, 0),
       "the input has 4 channels, the weight expects 1"},
      {{f32({2, 3, 3}), f32({3, 3, 1, 2})}, with(1, 0), "input 1 has 3 dimensions; it must have 4"},
      {{f32({2, 3, 3, 1}), f32({3, 3, 1, 2})}, with(0, 0), "stride_h is 0"},
      {{f32({2, 3, 3, 1}), f32({3, 3, 1, 2})}, with(1, -1), "pad_top is -1"},
      {{f32({2, 3, 3, 1}), f32({3, 3, 1, 2})},
       with(1, i64{1} << 62),
       "pad_top is 4611686018427387904"},
      {{f32({2, i64{1} << 62, 3, 1}), f32({0, 3, 1, 2})}, with(1, 1), "kernel_h is 0"},
      {{f32({2, 3, 3, 1}), f32({3, 3, 1, 2})},
       dilated(with(1, 0), 2, 1),
       "the window is larger than its input: 5 x 3 over 3 x 3"},
      {{f32({2, 3, 3, 1}), f32({3, 3, 1, 2})}, dilated(with(1, 1), 1, 0), "dilation_w is 0"},
      {{f32({2, 3, 3, 4}), f32({3, 3, 4, 6})},
       grouped(with(1, 1), 2),
       "the input has 4 channels, the weight expects 8"},
      {{f32({2, 3, 3, 4}), f32({3, 3, 1, 6})},
       grouped(with(1, 1), 4),
       "6 output channels do not fall into 4 groups"},
      {{f32({2, 3, 3, 4}), f32({3, 3, 4, 6})}, grouped(with(1, 1), 0), "groups is 0"},
      {{f32({2, 3, 3, 1}), f32({3, 3, 1, 2})}, {}, "\"stride_h\" is missing"}};
}
std::vector<OpReject> input_grad_rejects() {
  return {{{f32({2, 4, 5, 3}), f32({3, 3, 2, 3}), f32({2, 4, 6, 2})},
           with(1, 1),
           "the gradient of the output is [2, 4, 5, 3]; it must be [2, 4, 6, 3]"}};
}
std::vector<OpReject> weight_grad_rejects() {
  return {{{f32({2, 4, 5, 2}), f32({2, 4, 5, 3}), f32({3, 3, 2, 4})},
           with(1, 1),
           "the gradient of the output is [2, 4, 5, 3]; it must be [2, 4, 5, 4]"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "conv2d",
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = {kernel<float>, kernel<double>},
                               .bf16 = true,
                               .flops = flops,
                               .samples = samples,
                               .rejects = rejects},
                              {.name = "conv2d_input_grad",
                               .min_inputs = 3,
                               .max_inputs = 3,
                               .infer = infer_input_grad,
                               .gradient = input_grad_gradient,
                               .reference = {input_grad_kernel<float>, input_grad_kernel<double>},
                               .shape_only = 0b100,
                               .bf16 = true,
                               .flops = input_grad_flops,
                               .samples = input_grad_samples,
                               .rejects = input_grad_rejects},
                              {.name = "conv2d_weight_grad",
                               .min_inputs = 3,
                               .max_inputs = 3,
                               .infer = infer_weight_grad,
                               .gradient = weight_grad_gradient,
                               .reference = {weight_grad_kernel<float>, weight_grad_kernel<double>},
                               .batch = Batch::reduced,
                               .shape_only = 0b100,
                               .bf16 = true,
                               .flops = weight_grad_flops,
                               .samples = weight_grad_samples,
                               .rejects = weight_grad_rejects}};
  return ops;
}

}  // namespace goneuron::conv2d_op
