#include "backends/cpu/conv_loops.h"

#include <utility>

#include "backends/cpu/target.h"
#include "backends/cpu/tile_height.h"
#include "core/checked_math.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/conv_loops.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h comes first
#include <hwy/highway.h>

#include "backends/cpu/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace goneuron::cpu::HWY_NAMESPACE {
namespace {

constexpr i64 max_mr = lanes >= 16 ? 12 : 6;  // 24 of 32 registers hold sums, or 12 of 16
constexpr i64 nr = 2 * lanes;
constexpr i64 kc = 640;  // depth of a panel that stays in the second-level cache
HWY_ALIGN constexpr float zeros[nr] = {};

i64 panel_width(i64 columns, i64 column) { return columns - column > lanes ? nr : lanes; }

/// c = from + A B, for mr windows and `vectors` vectors of columns.
template <i64 mr, i64 vectors>
void micro(const float* HWY_RESTRICT a, const Seen& seen, const float* HWY_RESTRICT b,
           const float* from, i64 from_step, float* c, i64 c_step) {
  const D d;
  const i64 pixel = seen.pixel;
  V s0[mr], s1[mr];
#pragma GCC unroll 12
  for (i64 i = 0; i < mr; ++i) {
    s0[i] = hn::LoadU(d, from + i * from_step);
    if (vectors == 2) s1[i] = hn::LoadU(d, from + i * from_step + lanes);
  }
  for (i64 t = 0; t < seen.segs; ++t, a += seen.seg) {
    // Four pointers reach all windows with the addressing modes that there are.
    const float* p[4] = {a, a + 3 * pixel, a + 6 * pixel, a + 9 * pixel};
    for (i64 k = 0; k < seen.len; ++k) {
      const V b0 = hn::Load(d, b);
      V b1 = b0;
      if (vectors == 2) b1 = hn::Load(d, b + lanes);
#pragma GCC unroll 12
      for (i64 i = 0; i < mr; ++i) {
        const V x = hn::Set(d, p[i / 3][i % 3 * pixel]);
        s0[i] = hn::MulAdd(x, b0, s0[i]);
        if (vectors == 2) s1[i] = hn::MulAdd(x, b1, s1[i]);
      }
#pragma GCC unroll 4
      for (i64 i = 0; i < 4; ++i) ++p[i];
      b += vectors * lanes;
    }
  }
#pragma GCC unroll 12
  for (i64 i = 0; i < mr; ++i) {
    hn::StoreU(s0[i], d, c + i * c_step);
    if (vectors == 2) hn::StoreU(s1[i], d, c + i * c_step + lanes);
  }
}

/// c = from + A^T B: sums over pixels of mr neighbouring floats of the image times a row of b.
template <i64 mr, i64 vectors>
void outer(const float* HWY_RESTRICT a, const Pixels& at, const float* HWY_RESTRICT b,
           const float* from, i64 from_step, float* c, i64 c_step) {
  const D d;
  V s0[mr], s1[mr];
#pragma GCC unroll 12
  for (i64 i = 0; i < mr; ++i) {
    s0[i] = hn::LoadU(d, from + i * from_step);
    if (vectors == 2) s1[i] = hn::LoadU(d, from + i * from_step + lanes);
  }
  for (i64 n = 0; n < at.images; ++n)
    for (i64 r = 0; r < at.rows; ++r) {
      const float* p = a + n * at.image + r * at.row;
      for (i64 k = 0; k < at.count; ++k) {
        const V b0 = hn::Load(d, b);
        V b1 = b0;
        if (vectors == 2) b1 = hn::Load(d, b + lanes);
#pragma GCC unroll 12
        for (i64 i = 0; i < mr; ++i) {
          const V x = hn::Set(d, p[i]);
          s0[i] = hn::MulAdd(x, b0, s0[i]);
          if (vectors == 2) s1[i] = hn::MulAdd(x, b1, s1[i]);
        }
        p += at.pixel;
        b += vectors * lanes;
      }
    }
#pragma GCC unroll 12
  for (i64 i = 0; i < mr; ++i) {
    hn::StoreU(s0[i], d, c + i * c_step);
    if (vectors == 2) hn::StoreU(s1[i], d, c + i * c_step + lanes);
  }
}

template <size_t... kHeight>
ConvTile<Seen> micro_of(i64 height, bool wide, std::index_sequence<kHeight...>) {
  static constexpr ConvTile<Seen> table[2][sizeof...(kHeight)] = {
      {micro<static_cast<i64>(kHeight) + 1, 1>...}, {micro<static_cast<i64>(kHeight) + 1, 2>...}};
  return table[wide][height - 1];
}
template <size_t... kHeight>
ConvTile<Pixels> outer_of(i64 height, bool wide, std::index_sequence<kHeight...>) {
  static constexpr ConvTile<Pixels> table[2][sizeof...(kHeight)] = {
      {outer<static_cast<i64>(kHeight) + 1, 1>...}, {outer<static_cast<i64>(kHeight) + 1, 2>...}};
  return table[wide][height - 1];
}
using Heights = std::make_index_sequence<max_mr>;

/// Runs a register tile of `rows` x `cols`; narrower ones than a panel go through a buffer.
template <class Shape>
HWY_INLINE void run_tile(ConvTile<Shape> tile, const float* a, const Shape& shape, const float* b,
                         const float* from, i64 from_step, float* c, i64 c_step, i64 rows, i64 cols,
                         i64 width) {
  if (cols == width) return tile(a, shape, b, from, from_step, c, c_step);
  HWY_ALIGN float edge[max_mr * nr];
  const D d;
  const auto copy = [&](const float* x, i64 x_step, float* y, i64 y_step) {
    for (i64 i = 0; i < rows; ++i)
      for (i64 j = 0; j < cols; j += lanes) {
        const auto mask = hn::FirstN(d, static_cast<size_t>(std::min(lanes, cols - j)));
        hn::BlendedStore(hn::MaskedLoad(mask, d, x + i * x_step + j), mask, d, y + i * y_step + j);
      }
  };
  if (from_step == 0 && from == zeros) {
    tile(a, shape, b, zeros, 0, edge, width);
  } else {
    copy(from, from_step, edge, width);
    tile(a, shape, b, edge, width, edge, width);
  }
  copy(edge, width, c, c_step);
}

/// All windows of a band against a part of the depth of one panel.
void convolve_panel(const Convolution& v, const ConvPart& p, const Source& from, const Seen& seen,
                    const float* b, i64 column, bool first) {
  const Windows& s = v.windows;
  const i64 width = panel_width(v.columns, column), cols = std::min(width, v.columns - column);
  const i64 height = tile_height(s.ow, max_mr);
  for (i64 n = 0; n < p.images; ++n)
    for (i64 r = 0; r < p.rows; ++r) {
      const float* a = from.x + n * from.image + r * s.stride_h * from.row;
      float* y = v.y + (p.image + n) * v.y_image + (p.row + r) * v.y_row + column;
      for (i64 i = 0; i < s.ow; i += height) {
        const i64 rows = std::min(height, s.ow - i);
        float* c = y + i * v.y_pixel;
        const float* start = !first ? c : v.bias ? v.bias + column : zeros;
        const auto tile =
            v.tiles ? v.tiles(rows, width == nr) : micro_of(rows, width == nr, Heights());
        run_tile(tile, a + i * seen.pixel, seen, b, start, first ? 0 : v.y_pixel, c, v.y_pixel,
                 rows, cols, width);
      }
    }
}

/// Cuts the depth into parts of a panel that stays in the cache: several stretches of taps that lie
/// together (rows, or single taps where they are apart), or parts of one. Calls f(where the part
/// starts in the image, depth before it, stretches `seg` apart, their number, their length).
template <class F>
void for_depths(const Windows& s, i64 row, const F& f) {
  const i64 together = s.taps_together(), run = together * s.c;
  const bool rows = together == s.kw || s.kh == 0;
  const i64 outer = rows ? 1 : s.kh, segs = rows ? s.kh : s.kw;
  const i64 outer_step = s.dilation_h * row, seg = rows ? outer_step : s.dilation_w * s.c;
  const i64 group = std::clamp<i64>(run == 0 ? segs : kc / run, 1, std::max<i64>(segs, 1));
  const i64 parts = std::max<i64>(1, (run + kc - 1) / kc);
  const i64 part = std::max<i64>((run + parts - 1) / parts, 1);
  for (i64 o = 0; o < outer; ++o)
    for (i64 t = 0; t < segs || t == 0; t += group)
      for (i64 k = 0; k < run || k == 0; k += part)
        f(o * outer_step + t * seg + k, (o * segs + t) * run + k, seg, std::min(group, segs - t),
          std::min(part, run - k));
}

void convolve_band(const Convolution& v, const ConvPart& p, float* band) {
  const Windows& s = v.windows;
  const Source from = source_of(s, v.x, p, band);
  const i64 depth = s.depth();
  for_depths(s, from.row, [&](i64 at, i64 done, i64 seg, i64 segs, i64 len) {
    for (i64 column = 0; column < v.columns; column += nr)
      convolve_panel(v, p, {from.x + at, from.image, from.row}, {s.stride_w * s.c, seg, segs, len},
                     v.b + column * depth + done * panel_width(v.columns, column), column,
                     done == 0);
  });
  finish_outputs(v, p);
}

/// Windows that are pixels need no rows: runs of them, over the seams between images.
void convolve_pixels(const Convolution& v, i64 from, i64 count) {
  constexpr i64 run = 20 * max_mr;
  for (i64 i = from; i < from + count; i += run) {
    Convolution part = v;
    part.windows.h = part.windows.oh = 1;
    part.windows.w = part.windows.ow = std::min(run, from + count - i);
    part.x += i * v.windows.c;
    part.y += i * v.y_pixel;
    if (v.z) part.z += i * v.y_pixel;
    part.y_row = part.windows.ow * v.y_pixel;
    convolve_band(part, {0, 1, 0, 1}, nullptr);
  }
}

void convolution(const Convolution& v, const ConvPart& part, float* band) {
  const Windows& s = v.windows;
  const bool whole = part.rows == s.oh;
  if (!s.pointwise() || v.y_row != s.ow * v.y_pixel || v.y_image != s.oh * v.y_row)
    return for_bands(s, part, [&](const ConvPart& p) { convolve_band(v, p, band); });
  const i64 pixels = s.oh * s.ow;
  if (whole) return convolve_pixels(v, part.image * pixels, part.images * pixels);
  for (i64 n = 0; n < part.images; ++n)
    convolve_pixels(v, (part.image + n) * pixels + part.row * s.ow, part.rows * s.ow);
}

/// dy of a band as panels [pixels, width].
void pack_pixels(const WeightGradient& g, const ConvPart& p, float* to) {
  const D d;
  const Windows& s = g.windows;
  const i64 count = p.rows * s.ow;
  for (i64 column = 0; column < g.columns; column += nr) {
    const i64 width = panel_width(g.columns, column), cols = std::min(width, g.columns - column);
    for (i64 n = 0; n < p.images; ++n) {
      const float* from = g.dy + ((p.image + n) * s.oh + p.row) * s.ow * g.dy_pixel + column;
      for (i64 i = 0; i < count; ++i, from += g.dy_pixel, to += width) {
        if (cols < width) {
          for (i64 j = 0; j < width; ++j) to[j] = j < cols ? from[j] : 0;
          continue;
        }
        for (i64 j = 0; j < width; j += lanes) hn::Store(hn::LoadU(d, from + j), d, to + j);
      }
    }
  }
}

void gradient_band(const WeightGradient& g, const ConvPart& p, const Source& from,
                   const float* packed, bool first) {
  const Windows& s = g.windows;
  const i64 count = p.images * p.rows * s.ow, together = s.taps_together(), run = together * s.c;
  const Pixels at{p.images, from.image, p.rows, s.stride_h * from.row, s.ow, s.stride_w * s.c};
  const i64 height = tile_height(run, max_mr);
  for (i64 column = 0; column < g.columns; column += nr) {
    const i64 width = panel_width(g.columns, column), cols = std::min(width, g.columns - column);
    for (i64 tap = 0; tap < s.kh * s.kw; tap += together) {
      const float* x =
          from.x + tap / s.kw * s.dilation_h * from.row + tap % s.kw * s.dilation_w * s.c;
      for (i64 i = 0; i < run; i += height) {
        const i64 rows = std::min(height, run - i);
        float* c = g.dw + (tap * s.c + i) * g.dw_row + column;
        const auto tile =
            g.tiles ? g.tiles(rows, width == nr) : outer_of(rows, width == nr, Heights());
        run_tile(tile, x + i, at, packed + column * count, first ? zeros : c, first ? 0 : g.dw_row,
                 c, g.dw_row, rows, cols, width);
      }
    }
  }
}

void weight_gradient(const WeightGradient& g, i64 image, i64 images, float* band) {
  bool first = true;
  for_bands(g.windows, {image, images, 0, g.windows.oh}, [&](const ConvPart& p) {
    float* packed = band + round_up(g.windows.inside() ? 0 : g.windows.band_floats(), 16);
    pack_pixels(g, p, packed);
    gradient_band(g, p, source_of(g.windows, g.x, p, band), packed, first);
    first = false;
  });
  if (!first) return;
  for (i64 i = 0; i < g.windows.depth(); ++i)
    std::memset(g.dw + i * g.dw_row, 0, static_cast<size_t>(g.columns) * sizeof(float));
}

/// One tap's [rows, cols] block as rows of a panel; (i, j) at from[i * row + j * col].
void pack_block(const float* from, i64 rows, i64 cols, i64 row, i64 col, i64 width, float* to) {
  const D d;
  for (i64 i = 0; i < rows; ++i, from += row, to += width) {
    if (col == 1 && cols == width) {
      for (i64 j = 0; j < width; j += lanes) hn::Store(hn::LoadU(d, from + j), d, to + j);
      continue;
    }
    for (i64 j = 0; j < width; ++j) to[j] = j < cols ? from[j * col] : 0;
  }
}

i64 pack(const Packing& p, float* to) {
  const i64 columns = p.transposed ? p.in : p.out, rows = p.transposed ? p.out : p.in;
  float* const begin = to;
  for (i64 column = 0; column < columns; column += nr) {
    const i64 width = panel_width(columns, column), cols = std::min(width, columns - column);
    for (i64 a = 0; a < p.rows.count; ++a)
      for (i64 b = 0; b < p.columns.count; ++b, to += rows * width) {
        const i64 tap =
            (p.rows.first + a * p.rows.step) * p.kw + p.columns.first + b * p.columns.step;
        const float* w = p.w + tap * p.in * p.pitch;
        if (p.transposed)
          pack_block(w + column * p.pitch, rows, cols, 1, p.pitch, width, to);
        else
          pack_block(w + column, rows, cols, p.pitch, 1, width, to);
      }
  }
  return to - begin;
}

}  // namespace

ConvKernels find_conv_kernels() {
  return {convolution, weight_gradient, gradient_band, pack, lanes};
}

}  // namespace goneuron::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace goneuron::cpu {

void copy_padded(const Windows& s, const float* image, i64 row, i64 rows, float* to) {
  const i64 pitch = s.padded_w(), height = s.padded_h(rows), floats = pitch * s.c;
  const i64 first = std::clamp<i64>(s.left, 0, pitch),
            last = std::clamp(s.w + s.left, first, pitch);
  const auto zero = [&](float* at, i64 pixels) {
    std::memset(at, 0, static_cast<size_t>(pixels * s.c) * sizeof(float));
  };
  for (i64 i = 0; i < height; ++i, to += floats) {
    const i64 from = row * s.stride_h - s.top + i;
    if (from < 0 || from >= s.h) {
      zero(to, pitch);
      continue;
    }
    zero(to, first);
    const float* pixels = image + (from * s.w + first - s.left) * s.pixel;
    if (s.pixel == s.c)
      std::memcpy(to + first * s.c, pixels,
                  static_cast<size_t>((last - first) * s.c) * sizeof(float));
    else
      for (i64 x = first; x < last; ++x, pixels += s.pixel)
        std::memcpy(to + x * s.c, pixels, static_cast<size_t>(s.c) * sizeof(float));
    zero(to + last * s.c, pitch - last);
  }
}

Source source_of(const Windows& s, const float* x, const ConvPart& p, float* band) {
  const i64 image = s.h * s.w * s.pixel;
  if (s.inside())
    return {x + p.image * image + ((p.row * s.stride_h - s.top) * s.w - s.left) * s.c, image,
            s.w * s.c};
  const i64 floats = s.padded_h(p.rows) * s.padded_w() * s.c;
  for (i64 n = 0; n < p.images; ++n)
    copy_padded(s, x + (p.image + n) * image, p.row, p.rows, band + n * floats);
  return {band, floats, s.padded_w() * s.c};
}

void finish_outputs(const Convolution& v, const ConvPart& p) {
  if (!v.activation && !v.z) return;
  const bool dense = v.y_pixel == v.columns;
  const i64 ow = v.windows.ow, pieces = dense ? 1 : p.rows * ow,
            count = dense ? p.rows * v.y_row : v.columns;
  for (i64 n = 0; n < p.images; ++n)
    for (i64 i = 0; i < pieces; ++i) {
      const i64 at = (p.image + n) * v.y_image + p.row * v.y_row + i * v.y_pixel;
      if (v.z) std::memcpy(v.z + at, v.y + at, static_cast<size_t>(count) * sizeof(float));
      if (v.activation) v.activation(v.y + at, v.y + at, count, v.alpha, 0);
    }
}

i64 weight_gradient_floats(const Windows& s, i64 columns) {
  return round_up(s.inside() ? 0 : s.band_floats(), 16) +
         s.band_images() * s.band_rows() * s.ow * round_up(columns, 32);
}

HWY_EXPORT(find_conv_kernels);
ConvKernels conv_kernels() {
  choose_target();
  return HWY_DYNAMIC_DISPATCH(find_conv_kernels)();
}

}  // namespace goneuron::cpu
#endif
