// Convolution loops: direct, register-blocked, over channels-last images, in SIMD chosen at run
// time. Every output is one chain of fused multiply-adds in a fixed order, whatever the cut. Used
// by the forward convolution, by the gradient of its input (a convolution for each phase of the
// stride) and by the gradient of its weight.
#pragma once

#include <algorithm>
#include <cstring>

#include "backends/cpu/vector_ops.h"
#include "core/checked_math.h"

namespace goneuron::cpu {

/// Windows over an image: row r of the outputs sees rows r * stride_h - top + [0, kh) * dilation_h.
struct Windows {
  i64 h, w, c;                 // of the image; c channels of it are seen
  i64 pixel;                   // floats between its pixels: c, or more where c is a group
  i64 kh, kw;                  // taps
  i64 stride_h, stride_w;      // between windows
  i64 dilation_h, dilation_w;  // between taps
  i64 top, left;               // padding; may be negative
  i64 oh, ow;                  // windows

  i64 extent_h() const { return kh == 0 ? 0 : (kh - 1) * dilation_h + 1; }
  i64 extent_w() const { return kw == 0 ? 0 : (kw - 1) * dilation_w + 1; }
  /// True when every window lies inside and sees all channels: no copy with zeros around is needed.
  bool inside() const {
    return pixel == c && top <= 0 && left <= 0 && (oh - 1) * stride_h - top + extent_h() <= h &&
           (ow - 1) * stride_w - left + extent_w() <= w;
  }
  /// Windows are pixels: rows follow each other without a seam.
  bool pointwise() const {
    return pixel == c && kh == 1 && kw == 1 && stride_h == 1 && stride_w == 1 && top == 0 &&
           left == 0 && ow == w;
  }
  i64 padded_w() const { return (ow - 1) * stride_w + extent_w(); }
  i64 padded_h(i64 rows) const { return (rows - 1) * stride_h + extent_h(); }
  i64 depth() const { return kh * kw * c; }
  /// Taps that lie together: those of a row, or one.
  i64 taps_together() const { return dilation_w == 1 ? kw : std::min<i64>(kw, 1); }
  /// How many rows of windows are worked on at a time; and images, when they are small.
  i64 band_rows() const {
    return std::min(oh, std::max<i64>(1, band_windows / std::max<i64>(1, ow)));
  }
  i64 band_images() const { return std::max<i64>(1, band_windows / std::max<i64>(1, oh * ow)); }
  i64 band_floats() const { return band_images() * padded_h(band_rows()) * padded_w() * c; }

  i64 band_windows = 256;  // in a band, about: what fills the caches
};

/// Rows of one image, padded, that windows [row, row + rows) see.
void copy_padded(const Windows& s, const float* image, i64 row, i64 rows, float* to);

/// A part of the rows of several images.
struct ConvPart {
  i64 image, images, row, rows;
};

/// Images of a band as the loops see them: the memory itself, or a copy with zeros around.
struct Source {
  const float* x;
  i64 image, row;
};
Source source_of(const Windows& s, const float* x, const ConvPart& part, float* band);

/// Calls f(part) for bands that fill the caches.
template <class F>
void for_bands(const Windows& s, const ConvPart& part, const F& f) {
  const i64 images = part.rows == s.oh ? s.band_images() : 1, rows = s.band_rows();
  for (i64 n = 0; n < part.images; n += images)
    for (i64 r = 0; r < part.rows; r += rows)
      f(ConvPart{part.image + n, std::min(images, part.images - n), part.row + r,
                 std::min(rows, part.rows - r)});
}

/// The windows' side of one register tile: `mr` of them, `pixel` apart, over `segs` stretches of
/// `len` floats.
struct Seen {
  i64 pixel, seg, segs, len;
};
/// Where the pixels of a band lie: images, rows and windows, each so far apart.
struct Pixels {
  i64 images, image, rows, row, count, pixel;
};
/// A register tile, c = from + the products; the loops' own, or those of another arithmetic.
template <class Shape>
using ConvTile = void (*)(const float* a, const Shape& shape, const float* b, const float* from,
                          i64 from_step, float* c, i64 c_step);
template <class Shape>
using ConvTiles = ConvTile<Shape> (*)(i64 height, bool wide);

struct Convolution {
  Windows windows;
  const float* x;     // [images, h, w, c]
  const float* b;     // packed: panels of `panel` columns, [depth, width] each
  const float* bias;  // [columns, rounded up], null: zero
  float* y;
  i64 y_image, y_row, y_pixel;  // strides
  i64 columns;
  // Applied to finished outputs, whose pixels then lie one behind the other.
  float* z = nullptr;  // receives what goes into the activation
  UnaryRow activation = nullptr;
  float alpha = 0;
  ConvTiles<Seen> tiles = nullptr;  // null: products of floats
};
using ConvolutionKernel = void (*)(const Convolution&, const ConvPart&, float* band);

struct WeightGradient {
  Windows windows;
  const float* x;   // [images, h, w, c]
  const float* dy;  // [images, oh, ow, dy_pixel]
  i64 dy_pixel;
  float* dw;  // [depth, dw_row]
  i64 dw_row;
  i64 columns;
  ConvTiles<Pixels> tiles = nullptr;  // null: products of floats
};
/// dw = the sum over images [image, image + images).
using WeightGradientKernel = void (*)(const WeightGradient&, i64 image, i64 images, float* band);
/// A band of it, whose dy is packed: panels of columns, [images, rows, ow, width] each.
using GradientBandKernel = void (*)(const WeightGradient&, const ConvPart&, const Source&,
                                    const float* packed, bool first);
/// Floats of scratch that it needs.
i64 weight_gradient_floats(const Windows& s, i64 columns);

/// Taps of a weight [kh, kw, in, out] for packing: first + i * step, `count` of them.
struct Taps {
  i64 first, step, count;
};
struct Packing {
  const float* w;
  i64 kw, in, out, pitch;  // a row of `out` weights every `pitch` floats
  Taps rows, columns;
  bool transposed;  // panels of `in` columns, and depth runs over `out`
};
/// Writes the panels; returns the floats written.
using PackKernel = i64 (*)(const Packing&, float* to);
/// Room for them.
inline i64 packed_floats(i64 depth, i64 columns) { return depth * round_up(columns, 32); }

/// z and activation of a part whose sums are done.
void finish_outputs(const Convolution& v, const ConvPart& p);

struct ConvKernels {
  ConvolutionKernel convolution;
  WeightGradientKernel weight_gradient;
  GradientBandKernel gradient_band;  // null: of these kernels' weight_gradient alone
  PackKernel pack;
  i64 lanes = 0;  // of the vectors that panels are made of
};
/// The kernels for this processor.
ConvKernels conv_kernels();
/// The same with operands rounded to bf16, whose sums are floats (conv_bf16.cpp).
ConvKernels conv_bf16_kernels();
/// Floats of scratch that their weight gradient needs.
i64 weight_gradient_bf16_floats(const Windows& s, i64 columns);
/// Those of convolutions whose outputs see one input channel each, their own: `c` is then the
/// number of both, and a packed weight is [taps, c].
ConvKernels depthwise_kernels();

}  // namespace goneuron::cpu
