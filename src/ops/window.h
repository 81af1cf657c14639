// Geometry of sliding windows, for convolution and pooling: attributes, output sizes and checks.
#pragma once

#include <algorithm>

#include "ops/common.h"

namespace goneuron {

struct Window {
  i64 kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1;
  i64 pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  i64 dilation_h = 1, dilation_w = 1;  // between the cells of a window
  i64 extent_h() const { return (kernel_h - 1) * dilation_h + 1; }
  i64 extent_w() const { return (kernel_w - 1) * dilation_w + 1; }
};

/// Kernel sizes are a convolution's weight's; strides, pads and dilation (1 where absent) are
/// attributes.
inline Window conv_window(const Attrs& attrs, i64 kernel_h, i64 kernel_w) {
  return {kernel_h,
          kernel_w,
          attrs.integer("stride_h"),
          attrs.integer("stride_w"),
          attrs.integer("pad_top"),
          attrs.integer("pad_left"),
          attrs.integer("pad_bottom"),
          attrs.integer("pad_right"),
          attrs.integer("dilation_h", 1),
          attrs.integer("dilation_w", 1)};
}
/// Groups that the channels of a convolution fall into: outputs of one see its inputs alone.
inline i64 conv_groups(const Attrs& attrs) { return attrs.integer("groups", 1); }
inline Window pool_window(const Attrs& attrs) {
  return conv_window(attrs, attrs.integer("kernel_h"), attrs.integer("kernel_w"));
}
/// The pool of a fused convolution: attributes pool_*, no padding.
inline Window fused_pool_window(const Attrs& attrs) {
  return {attrs.integer("pool_kernel_h"), attrs.integer("pool_kernel_w"),
          attrs.integer("pool_stride_h"), attrs.integer("pool_stride_w")};
}

inline constexpr i64 largest_side =
    i64{1} << 31;  // of kernels, strides and pads: sums of them cannot overflow

inline void check_window(const InferContext& c, const Window& w) {
  check_integer(c, "kernel_h", w.kernel_h, 1, largest_side);
  check_integer(c, "kernel_w", w.kernel_w, 1, largest_side);
  check_integer(c, "stride_h", w.stride_h, 1, largest_side);
  check_integer(c, "stride_w", w.stride_w, 1, largest_side);
  check_integer(c, "pad_top", w.pad_top, 0, largest_side);
  check_integer(c, "pad_left", w.pad_left, 0, largest_side);
  check_integer(c, "pad_bottom", w.pad_bottom, 0, largest_side);
  check_integer(c, "pad_right", w.pad_right, 0, largest_side);
  check_integer(c, "dilation_h", w.dilation_h, 1, largest_side);
  check_integer(c, "dilation_w", w.dilation_w, 1, largest_side);
}

/// Pools also need a cell of the input in every window.
inline void check_pool_window(const InferContext& c, const Window& w) {
  check_window(c, w);
  if (std::max(w.pad_top, w.pad_bottom) >= w.kernel_h ||
      std::max(w.pad_left, w.pad_right) >= w.kernel_w)
    c.fail("the padding is not smaller than the window of " + std::to_string(w.kernel_h) + " x " +
               std::to_string(w.kernel_w),
           "pad by less than the window");
}

inline i64 window_count(i64 size, i64 extent, i64 stride, i64 before, i64 after) {
  return size == Any ? Any : (checked_add(size, before + after) - extent) / stride + 1;
}

/// [n, h, w, c] -> [n, h', w', channels]
inline Shape window_output(const InferContext& c, const Shape& x, const Window& w, i64 channels) {
  const bool fits_h = x[1] == Any || checked_add(x[1], w.pad_top + w.pad_bottom) >= w.extent_h();
  const bool fits_w = x[2] == Any || checked_add(x[2], w.pad_left + w.pad_right) >= w.extent_w();
  if (!fits_h || !fits_w) {
    const auto dim = [](i64 size) {
      return size == Any ? std::string("any") : std::to_string(size);
    };
    std::string input = dim(x[1]) + " x " + dim(x[2]);
    if (w.pad_top + w.pad_bottom + w.pad_left + w.pad_right > 0)
      input += " (padded by " + std::to_string(w.pad_top + w.pad_bottom) + " and " +
               std::to_string(w.pad_left + w.pad_right) + ")";
    c.fail("the window is larger than its input: " + std::to_string(w.extent_h()) + " x " +
               std::to_string(w.extent_w()) + " over " + input,
           "use a smaller kernel, Same padding, or fewer pools before it");
  }
  return {x[0], window_count(x[1], w.extent_h(), w.stride_h, w.pad_top, w.pad_bottom),
          window_count(x[2], w.extent_w(), w.stride_w, w.pad_left, w.pad_right), channels};
}

/// x (input `xi`) and w (input `wi`) of a convolution, checked; the shape of its output.
inline Shape conv_output(const InferContext& c, int xi, int wi) {
  check_rank(c, xi, 4, "[batch, height, width, channels]");
  check_rank(c, wi, 4, "[kernel height, kernel width, in / groups, out]");
  const Shape &x = c.shape(xi), &w = c.shape(wi);
  if (!w.known())
    c.fail("the weight " + w.str() + " has an unknown dimension",
           "give the number of channels to Input()");
  const Window window = conv_window(c.attrs, w[0], w[1]);
  check_window(c, window);
  const i64 groups = check_integer(c, "groups", conv_groups(c.attrs), 1, largest_side);
  if (!agree(x[3], checked_mul(w[2], groups)))
    c.fail("the input has " + std::to_string(x[3]) + " channels, the weight expects " +
               std::to_string(w[2] * groups),
           "channels are the last axis: [batch, height, width, channels]");
  if (w[3] % groups != 0)
    c.fail(std::to_string(w[3]) + " output channels do not fall into " + std::to_string(groups) +
               " groups",
           "give a multiple of the groups");
  return window_output(c, x, window, w[3]);
}

inline Attrs window_attrs(i64 stride, i64 pad) {
  return {{"stride_h", stride}, {"stride_w", stride}, {"pad_top", pad},
          {"pad_left", pad},    {"pad_bottom", pad},  {"pad_right", pad}};
}
inline Attrs uneven_window_attrs() {
  return {{"stride_h", i64{2}}, {"stride_w", i64{1}},   {"pad_top", i64{0}},
          {"pad_left", i64{1}}, {"pad_bottom", i64{1}}, {"pad_right", i64{0}}};
}
inline Attrs dilated(Attrs attrs, i64 height, i64 width) {
  attrs.set("dilation_h", height);
  attrs.set("dilation_w", width);
  return attrs;
}
inline Attrs grouped(Attrs attrs, i64 groups) {
  attrs.set("groups", groups);
  return attrs;
}
inline Attrs pool_attrs(i64 kernel, i64 stride, i64 pad) {
  Attrs attrs = window_attrs(stride, pad);
  attrs.set("kernel_h", kernel);
  attrs.set("kernel_w", kernel);
  return attrs;
}

}  // namespace goneuron
