// avgpool2d(x[n, h, w, c]){kernel, strides, pads}: the mean of each window, the zeros of the
// padding included, as in PyTorch; avgpool2d_grad(dy, like x).
#include "ops/window.h"

namespace goneuron::avgpool2d_op {

namespace {
Shape pooled_shape(const InferContext& c, int xi) {
  check_rank(c, xi, 4, "[batch, height, width, channels]");
  const Window w = pool_window(c.attrs);
  check_pool_window(c, w);
  return window_output(c, c.shape(xi), w, c.shape(xi)[3]);
}

std::vector<TensorType> infer(const InferContext& c) {
  const DType dtype = check_floating(c, {0});
  return {{pooled_shape(c, 0), dtype}};
}
std::vector<TensorType> infer_grad(const InferContext& c) {
  const DType dtype = check_floating(c, {0});
  check_shape(c, 0, pooled_shape(c, 1), "the gradient of the output");
  return {{c.shape(1), dtype}};
}

std::vector<Symbol> gradient(const GradContext& c) {
  return {make("avgpool2d_grad", {c.grad(), c.input(0)}, c.attrs())};
}
std::vector<Symbol> grad_gradient(const GradContext& c) {
  return {make("avgpool2d", {c.grad()}, c.attrs()), Symbol{}};
}

/// The part of window `out` that lies on the input.
struct Span {
  i64 begin, end;
  Span(i64 out, i64 stride, i64 pad, i64 kernel, i64 size)
      : begin(std::max<i64>(out * stride - pad, 0)),
        end(std::min(out * stride - pad + kernel, size)) {}
};

template <class T>
void kernel(const KernelArgs& args) {
  const Window w = pool_window(args.attrs);
  const Shape &x = args.inputs[0].shape, &y = args.outputs[0].shape;
  const T* from = input<T>(args, 0);
  T* to = output<T>(args, 0);
  const double cells = static_cast<double>(w.kernel_h) * static_cast<double>(w.kernel_w);
  for (i64 n = 0; n < y[0]; ++n)
    for (i64 oy = 0; oy < y[1]; ++oy)
      for (i64 ox = 0; ox < y[2]; ++ox)
        for (i64 c = 0; c < y[3]; ++c) {
          const Span rows(oy, w.stride_h, w.pad_top, w.kernel_h, x[1]);
          const Span columns(ox, w.stride_w, w.pad_left, w.kernel_w, x[2]);
          double sum = 0;
          for (i64 iy = rows.begin; iy < rows.end; ++iy)
            for (i64 ix = columns.begin; ix < columns.end; ++ix)
              sum += double{from[((n * x[1] + iy) * x[2] + ix) * x[3] + c]};
          *to++ = static_cast<T>(sum / cells);
        }
}

/// The windows that saw input `in`.
Span seen_by(i64 in, i64 stride, i64 pad, i64 kernel, i64 outputs) {
  Span span(0, 1, 0, 0, 0);
  const i64 last = (in + pad) / stride,
            over = in + pad - kernel + 1;  // windows start at out * stride <= in + pad
  span.begin = over <= 0 ? 0 : ceil_div(over, stride);
  span.end = std::min(last + 1, outputs);
  return span;
}

template <class T>
void grad_kernel(const KernelArgs& args) {
  const Window w = pool_window(args.attrs);
  const Shape &y = args.inputs[0].shape, &x = args.outputs[0].shape;
  const T* dy = input<T>(args, 0);
  T* dx = output<T>(args, 0);
  const double cells = static_cast<double>(w.kernel_h) * static_cast<double>(w.kernel_w);
  for (i64 n = 0; n < x[0]; ++n)
    for (i64 iy = 0; iy < x[1]; ++iy)
      for (i64 ix = 0; ix < x[2]; ++ix)
        for (i64 c = 0; c < x[3]; ++c) {
          const Span rows = seen_by(iy, w.stride_h, w.pad_top, w.kernel_h, y[1]);
          const Span columns = seen_by(ix, w.stride_w, w.pad_left, w.kernel_w, y[2]);
          double sum = 0;
          for (i64 oy = rows.begin; oy < rows.end; ++oy)
            for (i64 ox = columns.begin; ox < columns.end; ++ox)
              sum += double{dy[((n * y[1] + oy) * y[2] + ox) * y[3] + c]};
          *dx++ = static_cast<T>(sum / cells);
        }
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
          {{f32({1, 5, 6, 2})}, uneven()},
          {{f32({1, 6, 6, 1})}, pool_attrs(2, 3, 0)},
          {{f32({3, 13, 11, 37})}, pool_attrs(3, 2, 1), -2, 2, {}, 2, true},
          {{f32({9, 16, 16, 32})}, pool_attrs(2, 2, 0), -2, 2, {}, 2, true}};
}
std::vector<OpSample> grad_samples() {
  return {{{f32({2, 2, 2, 3}), f32({2, 4, 4, 3})}, pool_attrs(2, 2, 0)},
          {{f32({1, 3, 3, 2}), f32({1, 5, 5, 2})}, pool_attrs(3, 2, 1)},
          {{f32({1, 2, 2, 1}), f32({1, 6, 6, 1})}, pool_attrs(2, 3, 0)},
          {{f32({3, 7, 6, 37}), f32({3, 13, 11, 37})}, pool_attrs(3, 2, 1), -2, 2, {}, 2, true},
          {{f32({9, 8, 8, 32}), f32({9, 16, 17, 32})}, pool_attrs(2, 2, 0), -2, 2, {}, 2, true}};
}
std::vector<OpReject> rejects() {
  return {{{f32({2, 3, 3, 1})},
           pool_attrs(4, 4, 0),
           "the window is larger than its input: 4 x 4 over 3 x 3"},
          {{f32({2, 3, 3, 1})}, pool_attrs(2, 2, 2), "the padding is not smaller than the window"},
          {{f32({2, 3, 3, 1})}, pool_attrs(2, 0, 0), "stride_h is 0"},
          {{f32({2, 3})}, pool_attrs(2, 2, 0), "input 1 has 2 dimensions; it must have 4"},
          {{i32({2, 3, 3, 1})}, pool_attrs(2, 2, 0), "input 1 is i32"}};
}
std::vector<OpReject> grad_rejects() {
  return {{{f32({2, 2, 1, 3}), f32({2, 4, 4, 3})},
           pool_attrs(2, 2, 0),
           "the gradient of the output is [2, 2, 1, 3]; it must be [2, 2, 2, 3]"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "avgpool2d",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = {kernel<float>, kernel<double>},
                               .flops = flops,
                               .samples = samples,
                               .rejects = rejects},
                              {.name = "avgpool2d_grad",
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .infer = infer_grad,
                               .gradient = grad_gradient,
                               .reference = {grad_kernel<float>, grad_kernel<double>},
                               .shape_only = 0b10,
                               .flops = elementwise_flops,
                               .samples = grad_samples,
                               .rejects = grad_rejects}};
  return ops;
}

}  // namespace goneuron::avgpool2d_op
