// One output element of a convolution, in double: what the reference kernels of conv2d and its
// fused forms share.
#pragma once

#include "ops/window.h"

namespace goneuron {

/// Sizes of one convolution: x [n, h, w, c], weight [kh, kw, c, o], y [n, oh, ow, o].
struct ConvSizes {
  Window window;
  i64 n, h, w, c, o;
  ConvSizes(const Attrs& attrs, const Shape& x, const Shape& weight)
      : window(conv_window(attrs, weight[0], weight[1])),
        n(x[0]),
        h(x[1]),
        w(x[2]),
        c(x[3]),
        o(weight[3]) {}
  i64 out_h() const {
    return window_count(h, window.kernel_h, window.stride_h, window.pad_top, window.pad_bottom);
  }
  i64 out_w() const {
    return window_count(w, window.kernel_w, window.stride_w, window.pad_left, window.pad_right);
  }
};

/// y[n, oy, ox, o], starting from `sum` (the bias).
template <class T>
double conv_at(const ConvSizes& s, const T* x, const T* weight, i64 n, i64 oy, i64 ox, i64 o,
               double sum) {
  const Window& w = s.window;
  for (i64 ky = 0; ky < w.kernel_h; ++ky) {
    const i64 iy = oy * w.stride_h - w.pad_top + ky;
    if (iy < 0 || iy >= s.h) continue;
    for (i64 kx = 0; kx < w.kernel_w; ++kx) {
      const i64 ix = ox * w.stride_w - w.pad_left + kx;
      if (ix < 0 || ix >= s.w) continue;
      const T* from = x + ((n * s.h + iy) * s.w + ix) * s.c;
      const T* by = weight + (ky * w.kernel_w + kx) * s.c * s.o + o;
      for (i64 c = 0; c < s.c; ++c) sum += double{from[c]} * double{by[c * s.o]};
    }
  }
  return sum;
}

/// 2 flops for each weight and output pixel.
inline double conv_flops_of(const Shape& weight, double pixels) {
  return 2 * pixels * static_cast<double>(weight.elements());
}

}  // namespace goneuron
