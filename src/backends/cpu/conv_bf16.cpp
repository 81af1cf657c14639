// Convolutions with operands of bf16: every band is copied with zeros around and rounded in one go,
// then the loops of floats run on it. Where an instruction multiplies pairs (bf16_pairs.h) the copy
// holds words of two neighbours of the depth, so that the loops see half as many steps, with tiles
// of its own.
#include <cstring>
#include <utility>

#include "backends/cpu/bf16_pairs.h"
#include "backends/cpu/bf16_products.h"
#include "backends/cpu/conv_band.h"
#include "core/half.h"

namespace goneuron::cpu {
namespace {

template <class Form>
void convolution(const Convolution& v, const ConvPart& part, float* copy) {
  for_bands(v.windows, part, [&](const ConvPart& p) {
    Convolution of_copy = v;
    const Band band(v.windows, p.rows);
    const i64 pixel = Form::steps(v.windows.c);
    for_rows(band, v.x, p, [&](const BandRow& row, i64 i) {
      float* to = copy + i * band.pitch * pixel;
      zero(to, row.first * pixel);
      Form::channels(row, to + row.first * pixel);
      zero(to + row.last * pixel, (row.pitch - row.last) * pixel);
    });
    of_copy.windows = band.windows(p.rows);
    of_copy.windows.c = of_copy.windows.pixel = pixel;
    of_copy.x = copy;
    of_copy.tiles = Form::micros();
    const i64 at = p.image * v.y_image + p.row * v.y_row;
    of_copy.y += at;
    if (v.z) of_copy.z += at;
    if (p.images == 1) of_copy.y_image = p.rows * v.y_row;
    conv_kernels().convolution(of_copy, {0, p.images, 0, p.rows}, nullptr);
  });
}

/// dy of a band as panels of columns, [rows of windows, steps, width] each.
template <class Form>
void pack_outputs(const WeightGradient& g, const ConvPart& p, float* to) {
  const i64 lanes = conv_kernels().lanes, ow = g.windows.ow, steps = Form::steps(ow);
  for (i64 column = 0; column < g.columns; column += 2 * lanes) {
    const i64 left = g.columns - column, width = left > lanes ? 2 * lanes : lanes;
    for (i64 n = 0; n < p.images; ++n)
      for (i64 r = 0; r < p.rows; ++r, to += steps * width)
        Form::across(g.dy + ((p.image + n) * g.windows.oh + p.row + r) * ow * g.dy_pixel + column,
                     g.dy_pixel, std::min(left, width), ow, to, width);
  }
}

template <class Form>
void weight_gradient(const WeightGradient& g, i64 image, i64 images, float* copy) {
  const Windows& s = g.windows;
  float* dy = copy + round_up(s.band_floats(), 16);
  WeightGradient of_copy = g;
  of_copy.tiles = Form::outers();
  bool first = true;
  for_bands(s, {image, images, 0, s.oh}, [&](const ConvPart& p) {
    const Band band(s, p.rows);
    const i64 pitch = band.pitch * s.c;
    for_rows(band, g.x, p, [&](const BandRow& row, i64 i) {
      Form::windows(row, band.stride_w, copy + i * pitch);
    });
    pack_outputs<Form>(g, p, dy);
    of_copy.windows = band.windows(p.rows);
    of_copy.windows.ow = Form::steps(s.ow);
    of_copy.windows.stride_w = Form::span * band.stride_w;
    conv_kernels().gradient_band(of_copy, p, {copy, band.height * pitch, pitch}, dy, first);
    first = false;
  });
  if (first) conv_kernels().weight_gradient(g, image, 0, dy);  // zeros
}

template <class Form>
i64 pack(const Packing& p, float* to) {
  const i64 lanes = conv_kernels().lanes, columns = p.transposed ? p.in : p.out,
            depth = p.transposed ? p.out : p.in;
  float* const begin = to;
  for (i64 column = 0; column < columns; column += 2 * lanes) {
    const i64 left = columns - column, width = left > lanes ? 2 * lanes : lanes;
    for (i64 a = 0; a < p.rows.count; ++a)
      for (i64 b = 0; b < p.columns.count; ++b, to += Form::steps(depth) * width) {
        const float* w =
            p.w + ((p.rows.first + a * p.rows.step) * p.kw + p.columns.first + b * p.columns.step) *
                      p.in * p.pitch;
        if (p.transposed)
          Form::along(w + column * p.pitch, p.pitch, std::min(left, width), depth, to, width);
        else
          Form::across(w + column, p.pitch, std::min(left, width), depth, to, width);
      }
  }
  return to - begin;
}

/// Operands rounded to bf16 but kept as floats, for processors without products of bf16, and for
/// images of so few channels that pairs of them would be half empty.
struct Rounded {
  static constexpr i64 span = 1;  // of the depth, in a step
  static i64 steps(i64 depth) { return depth; }
  static void copy(const float* from, i64 count, float* to) {
    for (i64 i = 0; i < count; ++i) to[i] = round_to_bf16(from[i]);
  }
  /// to[i * width + j] = from[i * row + j], zeros where j is not below `count`.
  static void across(const float* from, i64 row, i64 count, i64 depth, float* to, i64 width) {
    for (i64 i = 0; i < depth; ++i, from += row, to += width) {
      copy(from, count, to);
      zero(to + count, width - count);
    }
  }
  /// to[i * width + j] = from[j * row + i].
  static void along(const float* from, i64 row, i64 count, i64 depth, float* to, i64 width) {
    for (i64 i = 0; i < depth; ++i, to += width)
      for (i64 j = 0; j < width; ++j) to[j] = j < count ? round_to_bf16(from[j * row + i]) : 0;
  }
  static void channels(const BandRow& row, float* to) {
    if (row.dense()) return copy(row.pixels, (row.last - row.first) * row.c, to);
    for (i64 i = row.first; i < row.last; ++i, to += row.c) copy(row.pixel(i), row.c, to);
  }
  static void windows(const BandRow& row, i64 /*stride*/, float* to) {
    zero(to, row.first * row.c);
    channels(row, to + row.first * row.c);
    zero(to + row.last * row.c, (row.pitch - row.last) * row.c);
  }
  static ConvTiles<Seen> micros() { return nullptr; }
  static ConvTiles<Pixels> outers() { return nullptr; }
};

}  // namespace
}  // namespace goneuron::cpu

#if defined(__x86_64__)
GONEURON_PAIRS_BEGIN
namespace goneuron::cpu {
namespace {
using namespace bf16;

constexpr i64 max_mr = 12;

/// What a register tile runs over: three loops, `across` between its rows.
struct Walk {
  i64 across, outer, outer_step, inner, inner_step, count, step;
};

template <i64 mr, i64 vectors>
void tile(const float* a, const Walk& at, const float* b, const float* from, i64 from_step,
          float* c, i64 c_step) {
  const i64 across = at.across;
  __m512 s0[mr], s1[mr];
#pragma GCC unroll 12
  for (i64 i = 0; i < mr; ++i) {
    s0[i] = _mm512_loadu_ps(from + i * from_step);
    if (vectors == 2) s1[i] = _mm512_loadu_ps(from + i * from_step + lanes);
  }
  for (i64 n = 0; n < at.outer; ++n)
    for (i64 r = 0; r < at.inner; ++r) {
      const float* x = a + n * at.outer_step + r * at.inner_step;
      // Four pointers reach all rows with the addressing modes that there are.
      const float* p[4] = {x, x + 3 * across, x + 6 * across, x + 9 * across};
      for (i64 k = 0; k < at.count; ++k, b += vectors * lanes) {
        const __m512bh b0 = as_pairs(_mm512_load_ps(b));
        const __m512bh b1 = vectors == 2 ? as_pairs(_mm512_load_ps(b + lanes)) : b0;
#pragma GCC unroll 12
        for (i64 i = 0; i < mr; ++i) {
          const __m512bh seen = as_pairs(_mm512_set1_ps(p[i / 3][i % 3 * across]));
          s0[i] = _mm512_dpbf16_ps(s0[i], seen, b0);
          if (vectors == 2) s1[i] = _mm512_dpbf16_ps(s1[i], seen, b1);
        }
#pragma GCC unroll 4
        for (i64 i = 0; i < 4; ++i) p[i] += at.step;
      }
    }
#pragma GCC unroll 12
  for (i64 i = 0; i < mr; ++i) {
    _mm512_storeu_ps(c + i * c_step, s0[i]);
    if (vectors == 2) _mm512_storeu_ps(c + i * c_step + lanes, s1[i]);
  }
}

template <i64 mr, i64 vectors>
void micro(const float* a, const Seen& s, const float* b, const float* from, i64 from_step,
           float* c, i64 c_step) {
  tile<mr, vectors>(a, {s.pixel, 1, 0, s.segs, s.seg, s.len, 1}, b, from, from_step, c, c_step);
}
template <i64 mr, i64 vectors>
void outer(const float* a, const Pixels& s, const float* b, const float* from, i64 from_step,
           float* c, i64 c_step) {
  tile<mr, vectors>(a, {1, s.images, s.image, s.rows, s.row, s.count, s.pixel}, b, from, from_step,
                    c, c_step);
}
template <size_t... kRow>
ConvTile<Seen> micro_of(i64 height, bool wide, std::index_sequence<kRow...>) {
  static constexpr ConvTile<Seen> table[2][max_mr] = {{micro<static_cast<i64>(kRow) + 1, 1>...},
                                                      {micro<static_cast<i64>(kRow) + 1, 2>...}};
  return table[wide][height - 1];
}
template <size_t... kRow>
ConvTile<Pixels> outer_of(i64 height, bool wide, std::index_sequence<kRow...>) {
  static constexpr ConvTile<Pixels> table[2][max_mr] = {{outer<static_cast<i64>(kRow) + 1, 1>...},
                                                        {outer<static_cast<i64>(kRow) + 1, 2>...}};
  return table[wide][height - 1];
}

ConvTile<Seen> find_micro(i64 height, bool wide) {
  return micro_of(height, wide, std::make_index_sequence<max_mr>());
}
ConvTile<Pixels> find_outer(i64 height, bool wide) {
  return outer_of(height, wide, std::make_index_sequence<max_mr>());
}

/// Words of pairs of the depth.
struct Pairs {
  static constexpr i64 span = 2;
  static i64 steps(i64 depth) { return (depth + 1) / 2; }
  static void across(const float* from, i64 row, i64 count, i64 depth, float* to, i64 width) {
    pack_across(from, row, count, depth, to, width);
  }
  static void along(const float* from, i64 row, i64 count, i64 depth, float* to, i64 width) {
    pack_along(from, row, count, depth, to, width);
  }
  /// Neighbouring channels in words.
  static void channels(const BandRow& row, float* to) {
    if (row.dense() && row.c % 2 == 0)  // no seams between pixels
      return pack_neighbours(row.pixels, (row.last - row.first) * row.c, to);
    for (i64 i = row.first; i < row.last; ++i, to += steps(row.c))
      pack_neighbours(row.pixel(i), row.c, to);
  }
  /// Every float of a row with the one that the next window sees.
  static void windows(const BandRow& row, i64 stride, float* to) {
    i64 bounds[] = {0, row.first - stride, row.first, row.last - stride, row.last, row.pitch};
    for (i64& bound : bounds) bound = std::max<i64>(bound, 0);
    std::sort(std::begin(bounds), std::end(bounds));
    for (size_t i = 0; i + 1 < std::size(bounds); ++i)
      two_windows(row, stride, bounds[i], bounds[i + 1], to);
  }
  /// Of pixels [begin, end), which lie on the same side of both ends of the image, as their
  /// partners do.
  static void two_windows(const BandRow& row, i64 stride, i64 begin, i64 end, float* to) {
    if (begin == end) return;
    const bool here = row.inside(begin), there = row.inside(begin + stride);
    const i64 at_once = row.dense() || !(here || there) ? end - begin : 1, floats = at_once * row.c;
    for (i64 i = begin; i < end; i += at_once) {
      float* at = to + i * row.c;
      if (here && there)
        pack_two(row.pixel(i), row.pixel(i + stride), floats, at);
      else if (here)
        pack_one(row.pixel(i), false, floats, at);
      else if (there)
        pack_one(row.pixel(i + stride), true, floats, at);
      else
        zero(at, floats);
    }
  }
  static ConvTiles<Seen> micros() { return find_micro; }
  static ConvTiles<Pixels> outers() { return find_outer; }
};

constexpr i64 few_channels = 3;

void convolve_pairs(const Convolution& v, const ConvPart& part, float* band) {
  return v.windows.c > few_channels ? convolution<Pairs>(v, part, band)
                                    : convolution<Rounded>(v, part, band);
}
i64 pack_for_pairs(const Packing& p, float* to) {
  return (p.transposed ? p.out : p.in) > few_channels ? pack<Pairs>(p, to) : pack<Rounded>(p, to);
}

}  // namespace
}  // namespace goneuron::cpu
GONEURON_PAIRS_END
#endif

namespace goneuron::cpu {

i64 weight_gradient_bf16_floats(const Windows& s, i64 columns) {
  return round_up(s.band_floats(), 16) +
         s.band_images() * s.band_rows() * s.ow * round_up(columns, 32);
}

ConvKernels conv_bf16_kernels() {
#if defined(__x86_64__)
  if (conv_kernels().lanes == bf16::lanes && bf16_products() == Bf16::pairs)
    return {convolve_pairs, weight_gradient<Pairs>, nullptr, pack_for_pairs, bf16::lanes};
#endif
  return {convolution<Rounded>, weight_gradient<Rounded>, nullptr, pack<Rounded>,
          conv_kernels().lanes};
}

}  // namespace goneuron::cpu
