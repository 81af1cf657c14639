// One output element of a convolution, in double: what the reference kernels of conv2d and its
// fused forms share.
#pragma once

#include "ops/window.h"

namespace goneuron {

/// Sizes of one convolution: x [n, h, w, c groups], weight [kh, kw, c, o], y [n, oh, ow, o]; the
/// outputs of a group see the c inputs of that group.
struct ConvSizes {
  Window window;
  i64 n, h, w, c, o, groups;
  ConvSizes(const Attrs& attrs, const Shape& x, const Shape& weight)
      : window(conv_window(attrs, weight[0], weight[1])),
        n(x[0]),
        h(x[1]),
        w(x[2]),
        c(weight[2]),
        o(weight[3]),
        groups(conv_groups(attrs)) {}
  i64 pixel() const { return c * groups; }  // floats of x
  i64 group_outputs() const { return o / groups; }
  /// The first input that output `out` sees.
  i64 first_input(i64 out) const { return out / group_outputs() * c; }
  i64 out_h() const {
    return window_count(h, window.extent_h(), window.stride_h, window.pad_top, window.pad_bottom);
  }
  i64 out_w() const {
    return window_count(w, window.extent_w(), window.stride_w, window.pad_left, window.pad_right);
  }
};

/// y[n, oy, ox, o], starting from `sum` (the bias); x[i] is element i of x.
template <class X, class T>
double conv_at(const ConvSizes& s, const X& x, const T* weight, i64 n, i64 oy, i64 ox, i64 o,
               double sum) {
  const Window& w = s.window;
  for (i64 ky = 0; ky < w.kernel_h; ++ky) {
    const i64 iy = oy * w.stride_h - w.pad_top + ky * w.dilation_h;
    if (iy < 0 || iy >= s.h) continue;
    for (i64 kx = 0; kx < w.kernel_w; ++kx) {
      const i64 ix = ox * w.stride_w - w.pad_left + kx * w.dilation_w;
      if (ix < 0 || ix >= s.w) continue;
      const i64 from = ((n * s.h + iy) * s.w + ix) * s.pixel() + s.first_input(o);
      const T* by = weight + (ky * w.kernel_w + kx) * s.c * s.o + o;
      for (i64 c = 0; c < s.c; ++c) sum += double{x[from + c]} * double{by[c * s.o]};
    }
  }
  return sum;
}

/// 2 flops for each weight and output pixel.
inline double conv_flops_of(const Shape& weight, double pixels) {
  return 2 * pixels * static_cast<double>(weight.elements());
}

}  // namespace goneuron
