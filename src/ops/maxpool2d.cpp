// maxpool2d(x[n, h, w, c]){kernel, strides, pads} -> y, index u8: the place of the first maximum in
// its window, row by row; padding never wins, NaN does. maxpool2d_grad(dy, index, like x).
#include "ops/window.h"

namespace goneuron::maxpool2d_op {

namespace {
Shape pooled_shape(const InferContext& c, int xi) {
  check_rank(c, xi, 4, "[batch, height, width, channels]");
  const Window w = pool_window(c.attrs);
  check_pool_window(c, w);
  if (checked_mul(w.kernel_h, w.kernel_w) > 255)
    c.fail("a window of " + std::to_string(w.kernel_h) + " x " + std::to_string(w.kernel_w) +
               " has more than 255 cells",
           "pool in two steps");
  return window_output(c, c.shape(xi), w, c.shape(xi)[3]);
}

std::vector<TensorType> infer(const InferContext& c) {
  const DType dtype = check_floating(c, {0});
  const Shape y = pooled_shape(c, 0);
  return {{y, dtype}, {y, DType::u8}};
}
std::vector<TensorType> infer_grad(const InferContext& c) {
  const DType dtype = check_floating(c, {0});
  check_dtype(c, 1, DType::u8, "the indices");
  const Shape y = pooled_shape(c, 2);
  check_shape(c, 0, y, "the gradient of the output");
  check_shape(c, 1, y, "the index");
  return {{c.shape(2), dtype}};
}

std::vector<Symbol> gradient(const GradContext& c) {
  if (!c.grad(0)) return {};
  return {make("maxpool2d_grad", {c.grad(0), c.output(1), c.input(0)}, c.attrs())};
}

template <class T>
void kernel(const KernelArgs& args) {
  const Window w = pool_window(args.attrs);
  const Shape &x = args.inputs[0].shape, &y = args.outputs[0].shape;
  const T* from = input<T>(args, 0);
  T* best = output<T>(args, 0);
  auto* index = output<std::uint8_t>(args, 1);
  for (i64 n = 0; n < y[0]; ++n)
    for (i64 oy = 0; oy < y[1]; ++oy)
      for (i64 ox = 0; ox < y[2]; ++ox)
        for (i64 c = 0; c < y[3]; ++c, ++best, ++index) {
          bool first = true;
          for (i64 cell = 0; cell < w.kernel_h * w.kernel_w; ++cell) {
            const i64 iy = oy * w.stride_h - w.pad_top + cell / w.kernel_w;
            const i64 ix = ox * w.stride_w - w.pad_left + cell % w.kernel_w;
            if (iy < 0 || iy >= x[1] || ix < 0 || ix >= x[2]) continue;
            const T value = from[((n * x[1] + iy) * x[2] + ix) * x[3] + c];
            if (!first && !(value > *best) && !(std::isnan(value) && !std::isnan(*best))) continue;
            *best = value;
            *index = static_cast<std::uint8_t>(cell);
            first = false;
          }
        }
}

/// dx[n, iy, ix, c]: from every window whose maximum it was.
template <class T>
double grad_at(const KernelArgs& args, const Window& w, i64 n, i64 iy, i64 ix, i64 c) {
  const Shape& y = args.inputs[0].shape;
  const T* dy = input<T>(args, 0);
  const auto* index = input<std::uint8_t>(args, 1);
  double sum = 0;
  for (i64 ky = 0; ky < w.kernel_h; ++ky) {
    const i64 top = iy + w.pad_top - ky, oy = top / w.stride_h;
    if (top < 0 || top % w.stride_h != 0 || oy >= y[1]) continue;
    for (i64 kx = 0; kx < w.kernel_w; ++kx) {
      const i64 left = ix + w.pad_left - kx, ox = left / w.stride_w;
      if (left < 0 || left % w.stride_w != 0 || ox >= y[2]) continue;
      const i64 at = ((n * y[1] + oy) * y[2] + ox) * y[3] + c;
      if (index[at] == ky * w.kernel_w + kx) sum += double{dy[at]};
    }
  }
  return sum;
}

template <class T>
void grad_kernel(const KernelArgs& args) {
  const Window w = pool_window(args.attrs);
  const Shape& x = args.outputs[0].shape;
  T* dx = output<T>(args, 0);
  for (i64 n = 0; n < x[0]; ++n)
    for (i64 iy = 0; iy < x[1]; ++iy)
      for (i64 ix = 0; ix < x[2]; ++ix)
        for (i64 c = 0; c < x[3]; ++c) *dx++ = static_cast<T>(grad_at<T>(args, w, n, iy, ix, c));
}

double flops(const std::vector<TensorType>&, const std::vector<TensorType>& outputs,
             const Attrs& attrs) {
  return count(outputs[0]) *
         static_cast<double>(attrs.integer("kernel_h") * attrs.integer("kernel_w"));
}
Attrs uneven() {
  Attrs attrs = uneven_window_attrs();
  attrs.set("kernel_h", i64{2});
  attrs.set("kernel_w", i64{3});
  return attrs;
}
std::vector<OpSample> samples() {
  return {{{f32({2, 4, 4, 3})}, pool_attrs(2, 2, 0)},
          {{f32({1, 5, 5, 2})}, pool_attrs(3, 2, 1)},
          {{f32({1, 5, 5, 2})}, pool_attrs(2, 1, 0)},
          {{f32({1, 5, 6, 2})}, uneven()},
          {{f32({3, 13, 11, 37})}, pool_attrs(3, 2, 1), -2, 2, {}, 2, true},
          {{f32({9, 12, 7, 19})}, uneven(), -2, 2, {}, 2, true},
          {{f32({32, 28, 28, 32})}, pool_attrs(2, 2, 0), -1, 1, {}, 2, true}};
}
std::vector<OpSample> grad_samples() {
  return {
      {{f32({2, 2, 2, 3}), u8({2, 2, 2, 3}), f32({2, 4, 4, 3})}, pool_attrs(2, 2, 0), -2, 2, {}, 4},
      {{f32({1, 3, 3, 2}), u8({1, 3, 3, 2}), f32({1, 5, 5, 2})},
       pool_attrs(3, 2, 1),
       -2,
       2,
       {},
       255},
      {{f32({3, 7, 6, 37}), u8({3, 7, 6, 37}), f32({3, 13, 11, 37})},
       pool_attrs(3, 2, 1),
       -2,
       2,
       {},
       9,
       true},
      {{f32({9, 8, 8, 32}), u8({9, 8, 8, 32}), f32({9, 16, 17, 32})},
       pool_attrs(2, 2, 0),
       -2,
       2,
       {},
       4,
       true}};
}
std::vector<OpReject> rejects() {
  return {{{f32({2, 3, 3, 1})},
           pool_attrs(4, 4, 0),
           "the window is larger than its input: 4 x 4 over 3 x 3"},
          {{f32({2, 32, 32, 1})}, pool_attrs(16, 4, 0), "more than 255 cells"},
          {{f32({2, 3, 3, 1})},
           pool_attrs(2, 2, 2),
           "the padding is not smaller than the window of 2 x 2"},
          {{f32({2, 3, 3, 1})}, pool_attrs(2, -2, 0), "stride_h is -2"},
          {{f32({2, 3, 3, 1})}, pool_attrs(0, 2, 0), "kernel_h is 0"},
          {{f32({2, 3})}, pool_attrs(2, 2, 0), "input 1 has 2 dimensions; it must have 4"}};
}
std::vector<OpReject> grad_rejects() {
  return {{{f32({2, 2, 2, 3}), i32({2, 2, 2, 3}), f32({2, 4, 4, 3})},
           pool_attrs(2, 2, 0),
           "the indices are i32"},
          {{f32({2, 2, 2, 3}), u8({2, 2, 1, 3}), f32({2, 4, 4, 3})},
           pool_attrs(2, 2, 0),
           "the index is [2, 2, 1, 3]"},
          {{f32({2, 2, 1, 3}), u8({2, 2, 2, 3}), f32({2, 4, 4, 3})},
           pool_attrs(2, 2, 0),
           "the gradient of the output is [2, 2, 1, 3]"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {
      {.name = "maxpool2d",
       .min_inputs = 1,
       .max_inputs = 1,
       .infer = infer,
       .gradient = gradient,
       .reference = {kernel<float>, kernel<double>},
       .flops = flops,
       .samples = samples,
       .rejects = rejects},
      {.name = "maxpool2d_grad",
       .min_inputs = 3,
       .max_inputs = 3,
       .infer = infer_grad,
       .gradient = Gradient::none("second derivatives of pooling are not supported"),
       .reference = {grad_kernel<float>, grad_kernel<double>},
       .shape_only = 0b100,
       .flops = elementwise_flops,
       .samples = grad_samples,
       .rejects = grad_rejects}};
  return ops;
}

}  // namespace goneuron::maxpool2d_op
