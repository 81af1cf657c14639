// What the convolution kernels' lowering shares: windows out of a node, and what fits in scratch.
#pragma once

#include "backends/cpu/conv_loops.h"
#include "backends/cpu/kernel.h"

namespace goneuron::cpu {

/// Of x [n, h, w, c] under weight [kh, kw, c, o], with outputs y [n, oh, ow, o].
inline Windows windows_of(const Attrs& attrs, const Shape& x, const Shape& w, const Shape& y) {
  return {x[1],
          x[2],
          x[3],
          w[0],
          w[1],
          attrs.integer("stride_h"),
          attrs.integer("stride_w"),
          attrs.integer("pad_top"),
          attrs.integer("pad_left"),
          y[1],
          y[2]};
}

/// Copies of bands with zeros around stay in proportion to the images: with a padding far larger
/// than the image the plain loops run.
inline bool band_fits(const Windows& s) {
  constexpr i64 most = i64{1} << 20;
  return s.stride_h <= most && s.stride_w <= most && s.top < most && s.left < most && s.oh < most &&
         s.ow < most && s.padded_h(std::max<i64>(s.oh, 1)) <= 4 * s.h + 4 * s.kh &&
         s.padded_w() <= 4 * s.w + 4 * s.kw;
}

}  // namespace goneuron::cpu
