// Bands of windows that are copied with zeros around, for products of bf16. Used by conv_bf16.cpp
// and conv_tiles.cpp.
#pragma once

#include <algorithm>
#include <cstring>

#include "backends/cpu/conv_loops.h"

namespace goneuron::cpu {

/// A band of windows as it is copied. Where a kernel is one pixel wide or high, only the pixels
/// that windows see are there.
struct Band {
  Windows s;
  i64 step_h, step_w;      // between the pixels that are copied
  i64 stride_h, stride_w;  // between windows in the copy
  i64 height, pitch;       // of the copy, in pixels

  Band(const Windows& windows, i64 rows)
      : s(windows),
        step_h(s.kh == 1 ? s.stride_h : 1),
        step_w(s.kw == 1 ? s.stride_w : 1),
        stride_h(s.stride_h / step_h),
        stride_w(s.stride_w / step_w),
        height((rows - 1) * stride_h + s.extent_h()),
        pitch((s.ow - 1) * stride_w + s.extent_w()) {}

  /// The windows over the copy, an image of its own without padding.
  Windows windows(i64 rows) const {
    Windows copy = s;
    copy.h = height;
    copy.w = pitch;
    copy.pixel = s.c;
    copy.stride_h = stride_h;
    copy.stride_w = stride_w;
    copy.top = copy.left = 0;
    copy.oh = rows;
    return copy;
  }
};

/// A row of the copy: pixels [first, last) come from the image, `apart` floats from one to the
/// next; zeros are around them.
struct BandRow {
  const float* pixels;
  i64 first, last, pitch, apart, c;

  bool dense() const { return apart == c; }
  bool inside(i64 pixel) const { return pixel >= first && pixel < last; }
  const float* pixel(i64 i) const { return pixels + (i - first) * apart; }
};

/// Calls f(row, number) for every row that the windows of a part see.
template <class F>
void for_rows(const Band& band, const float* x, const ConvPart& p, const F& f) {
  const Windows& s = band.s;
  const i64 first = std::clamp<i64>(ceil_div(std::max<i64>(s.left, 0), band.step_w), 0, band.pitch),
            last = std::clamp(ceil_div(std::max<i64>(s.w + s.left, 0), band.step_w), first,
                              band.pitch);
  for (i64 n = 0; n < p.images; ++n) {
    const float* image = x + (p.image + n) * s.h * s.w * s.pixel;
    for (i64 i = 0; i < band.height; ++i) {
      const i64 from = p.row * s.stride_h - s.top + i * band.step_h;
      const bool there = from >= 0 && from < s.h && first < last;
      f(BandRow{there ? image + (from * s.w + first * band.step_w - s.left) * s.pixel : nullptr,
                there ? first : 0, there ? last : 0, band.pitch, band.step_w * s.pixel, s.c},
        n * band.height + i);
    }
  }
}

inline void zero(float* to, i64 floats) {
  if (floats > 0) std::memset(to, 0, static_cast<size_t>(floats) * sizeof(float));
}

}  // namespace goneuron::cpu
