// What the convolution kernels' lowering shares: windows out of a node, and what fits in scratch.
#pragma once

#include "backends/cpu/conv_loops.h"
#include "backends/cpu/conv_tiles.h"
#include "backends/cpu/kernel.h"
#include "backends/cpu/winograd.h"
#include "ops/window.h"

namespace goneuron::cpu {

/// The loops run once for each group, on `in` inputs and `out` outputs of it; once for all channels
/// where the convolution is depthwise, with loops of its own.
struct ConvGroups {
  i64 count, in, out;
  bool depthwise;
  /// Depthwise convolutions wait for memory, not for products: they stay in floats.
  bool tiles(const Attrs& attrs, const Windows& s) const {
    return !depthwise && attrs.integer("bf16", 0) && conv_tiles_suit(s.c);
  }
  ConvKernels kernels(const Attrs& attrs, const Windows& s) const {
    if (depthwise) return depthwise_kernels();
    if (tiles(attrs, s)) return conv_tiles();
    return attrs.integer("bf16", 0) ? conv_bf16_kernels() : conv_kernels();
  }
  /// Also with `bf16`, but for tiles: a quarter of the products in floats is less than all of them
  /// at twice the speed.
  bool winograd(const Attrs& attrs, i64 images, const Windows& s, i64 columns) const {
    return !depthwise && !tiles(attrs, s) && winograd_suits(images, s, columns);
  }
};
inline ConvGroups groups_of(const Attrs& attrs, const Shape& w) {
  const i64 groups = conv_groups(attrs);
  if (groups > 1 && w[2] == 1 && w[3] == groups) return {1, groups, groups, true};
  return {groups, w[2], w[3] / groups, false};
}

/// Of one group: x [n, h, w, c groups] under weight [kh, kw, c, o], with outputs y [n, oh, ow, o].
inline Windows windows_of(const Attrs& attrs, const Shape& x, const Shape& w, const Shape& y) {
  return {x[1],
          x[2],
          groups_of(attrs, w).in,
          x[3],
          w[0],
          w[1],
          attrs.integer("stride_h"),
          attrs.integer("stride_w"),
          attrs.integer("dilation_h", 1),
          attrs.integer("dilation_w", 1),
          attrs.integer("pad_top"),
          attrs.integer("pad_left"),
          y[1],
          y[2],
          attrs.integer("bf16", 0) ? 512 : 256};
}

/// Copies of bands with zeros around stay in proportion to the images: with a padding far larger
/// than the image the plain loops run.
inline bool band_fits(const Windows& s) {
  constexpr i64 most = i64{1} << 20;
  return s.stride_h <= most && s.stride_w <= most && s.top < most && s.left < most && s.oh < most &&
         s.ow < most && s.dilation_h <= most && s.dilation_w <= most &&
         s.padded_h(std::max<i64>(s.oh, 1)) <= 4 * s.h + 4 * s.kh &&
         s.padded_w() <= 4 * s.w + 4 * s.kw;
}

}  // namespace goneuron::cpu
