// Convolutions with operands of bf16 by the tiles of AMX. A band of the images is copied with zeros
// around, as words of two neighbouring channels, in which the pixels that 16 windows see are the
// rows of a tile. For the gradient of the weight, whose sums run over windows, the pixels of one
// tap are turned round, channel by channel.
#include "backends/cpu/conv_tiles.h"

#include "backends/cpu/bf16_tiles.h"
#include "backends/cpu/conv_band.h"

#if defined(__x86_64__)
GONEURON_TILES_BEGIN
namespace goneuron::cpu {
namespace {
using namespace bf16;

constexpr i64 side = 2 * tile_rows;  // rows and columns that are worked on together
constexpr i64 panel_floats = 2 * tile_words * lanes;  // of B, for 32 of the depth

/// Calls f(whether there are more than 16 rows) as a constant.
template <class F>
void by_height(i64 rows, const F& f) {
  rows > tile_rows ? f(std::true_type()) : f(std::false_type());
}

/// Copies [rows, columns].
void copy(const float* from, i64 from_row, i64 rows, i64 columns, float* to, i64 to_row) {
  for (i64 i = 0; i < rows; ++i)
    std::memcpy(to + i * to_row, from + i * from_row, static_cast<size_t>(columns) * sizeof(float));
}

/// `rows` windows of a row and up to 32 columns; `a` is the first window's first pixel in the copy,
/// whose windows these are.
void windows_of_row(const Windows& s, const float* a, const float* b, const float* bias, i64 rows,
                    i64 columns, float* y, i64 y_pixel) {
  const i64 image_row = s.w * s.pixel, window = s.ow > 1 ? s.stride_w * s.pixel : 0;
  by_height(rows, [&](auto two) {
    using Sums = TileSums<decltype(two)::value>;
    bias ? Sums::load(bias, 0) : Sums::zero();
    for (i64 i = 0; i < s.kh; ++i)
      for (i64 j = 0; j < s.kw; ++j) {
        const float* pixel = a + i * s.dilation_h * image_row + j * s.dilation_w * s.pixel;
        for (i64 c = 0; c < s.pixel; c += tile_words, b += panel_floats)
          Sums::add(pixel + c, window, b);
      }
    if (columns == side && rows == (two ? side : tile_rows)) return Sums::store(y, y_pixel);
    alignas(64) float edge[side * side];
    Sums::store(edge, side);
    copy(edge, side, rows, columns, y, y_pixel);
  });
}

void convolve_band(const Convolution& v, const ConvPart& p, float* scratch) {
  const Band band(v.windows, p.rows);
  Windows s = band.windows(p.rows);
  s.c = s.pixel = v.windows.c / 2;
  const i64 row = band.pitch * s.pixel, image = band.height * row;
  for_rows(band, v.x, p, [&](const BandRow& from, i64 i) {
    float* to = scratch + i * row;
    zero(to, from.first * s.pixel);
    to += from.first * s.pixel;
    for (i64 at = from.first; at < from.last; ++at, to += s.pixel)
      pack_neighbours(from.pixel(at), from.c, to);
    zero(to, (from.pitch - from.last) * s.pixel);
  });
  const TileRegisters registers;
  const i64 panel = s.kh * s.kw * s.pixel / tile_words * panel_floats;
  const float* b = v.b;
  for (i64 column = 0; column < v.columns; column += side, b += panel) {
    const i64 columns = std::min(side, v.columns - column);
    alignas(64) float bias[side] = {};
    if (v.bias) std::copy_n(v.bias + column, columns, bias);
    for (i64 n = 0; n < p.images; ++n)
      for (i64 r = 0; r < p.rows; ++r)
        for (i64 i = 0; i < s.ow; i += side)
          windows_of_row(
              s, scratch + n * image + r * s.stride_h * row + i * s.stride_w * s.pixel, b,
              v.bias ? bias : nullptr, std::min(side, s.ow - i), columns,
              v.y + (p.image + n) * v.y_image + (p.row + r) * v.y_row + i * v.y_pixel + column,
              v.y_pixel);
  }
  finish_outputs(v, p);
}

void convolution(const Convolution& v, const ConvPart& part, float* scratch) {
  for_bands(v.windows, part, [&](const ConvPart& p) { convolve_band(v, p, scratch); });
}

/// Panels of 32 columns: [taps, depth / 32, a panel's part].
i64 pack(const Packing& p, float* to) {
  const i64 columns = p.transposed ? p.in : p.out, depth = p.transposed ? p.out : p.in;
  float* const begin = to;
  for (i64 column = 0; column < columns; column += side)
    for (i64 a = 0; a < p.rows.count; ++a)
      for (i64 b = 0; b < p.columns.count; ++b, to += depth / tile_depth * panel_floats) {
        const i64 tap =
            (p.rows.first + a * p.rows.step) * p.kw + p.columns.first + b * p.columns.step;
        const float* w = p.w + tap * p.in * p.pitch;
        const i64 some = std::min(side, columns - column);
        if (p.transposed)
          pack_along_as_tiles<1>(w + column * p.pitch, p.pitch, some, depth, to);
        else
          pack_across_as_tiles<1>(w + column, p.pitch, some, depth, to);
      }
  return to - begin;
}

/// How a band of windows of one image is turned round for the gradient of the weight: for a column
/// of taps, its pixels of every row that windows see, channel by channel, [c, length] of bf16. Rows
/// that windows of one tap see lie together, `stride_h` apart in the image, so that the windows of
/// the whole band are one stretch for each tap.
struct TurnedBand {
  const Windows& s;
  const i64 rows, length;

  TurnedBand(const Windows& windows, i64 some_rows)
      : s(windows), rows(some_rows), length(length_of(windows, some_rows)) {}

  /// Behind the last one, tiles read zeros.
  static i64 length_of(const Windows& s, i64 rows) {
    return round_up(s.padded_h(rows) * s.ow + tile_depth - 1, tile_depth);
  }
  i64 floats() const { return s.c * length / 2; }
  /// Where the pixels begin that tap row a of the first window sees.
  i64 begin(i64 a) const {
    const i64 down = a * s.dilation_h, phase = down % s.stride_h, height = s.padded_h(rows);
    i64 before = 0;
    for (i64 p = 0; p < phase; ++p) before += ceil_div(height - p, s.stride_h);
    return (before + down / s.stride_h) * s.ow;
  }
  /// Bf16 as floats' memory: two lie in one.
  const float* tile(const float* turned, i64 a) const {
    const auto* halves = reinterpret_cast<const std::uint16_t*>(turned);
    return reinterpret_cast<const float*>(halves + begin(a));
  }

  /// Column b of the taps. `pixels`: room for `length` of them; `zeros`: what stands for padding.
  void turn(const float* image, i64 row, i64 b, const float* zeros, const float** pixels,
            float* to) const {
    const float** at = pixels;
    for (i64 phase = 0; phase < s.stride_h; ++phase)
      for (i64 i = phase; i < s.padded_h(rows); i += s.stride_h, at += s.ow)
        pixels_of(image, row * s.stride_h - s.top + i, b * s.dilation_w - s.left, zeros, at);
    std::fill(at, pixels + length, zeros);
    for (i64 c = 0; c < s.c; c += lanes, to += lanes * length / 2)
      for (i64 i = 0; i < length; i += tile_depth) turn_pixels(pixels + i, c, to + i / 2);
  }

 private:
  void pixels_of(const float* image, i64 y, i64 x, const float* zeros, const float** to) const {
    if (y < 0 || y >= s.h) {
      std::fill_n(to, s.ow, zeros);
      return;
    }
    const float* row = image + y * s.w * s.pixel;
    for (i64 i = 0; i < s.ow; ++i, x += s.stride_w)
      to[i] = x < 0 || x >= s.w ? zeros : row + x * s.pixel;
  }
  void turn_pixels(const float* const* from, i64 c, float* to) const {
    __m512i words[1][tile_words];
#pragma GCC unroll 16
    for (i64 p = 0; p < tile_words; ++p)
      words[0][p] = pairs(_mm512_loadu_ps(from[2 * p] + c), _mm512_loadu_ps(from[2 * p + 1] + c));
    turn_words(words, [&](i64, i64 channel, __m512i row) {
      _mm512_storeu_si512(to + channel * length / 2, row);
    });
  }
};

/// What the gradient works on at a time: windows, whose pixels and gradients stay in the caches.
i64 gradient_rows(const Windows& s) {
  constexpr i64 windows = 512;
  return std::clamp<i64>(windows / std::max<i64>(s.ow, 1), 1, std::max<i64>(s.oh, 1));
}

/// The sums of one tap over a band: 32 channels with 32 columns at a time. The last chunk may meet
/// pixels of other windows, with gradients of zero: where those are infinite, its sums are NaN.
void tap_gradient(const WeightGradient& g, const float* x, i64 x_row, i64 chunks,
                  const float* outputs, float* dw, bool first) {
  for (i64 c = 0; c < g.windows.c; c += side, x += side * x_row)
    for (i64 column = 0; column < g.columns; column += side) {
      const float* b = outputs + column / side * chunks * panel_floats;
      float* to = dw + c * g.dw_row + column;
      const i64 columns = std::min(side, g.columns - column);
      alignas(64) float edge[side * side];
      const bool whole = columns == side;
      if (!whole && !first) copy(to, g.dw_row, side, columns, edge, side);
      float* sums = whole ? to : edge;
      const i64 row = whole ? g.dw_row : side;
      first ? TileSums<true>::zero() : TileSums<true>::load(sums, row);
      for (i64 chunk = 0; chunk < chunks; ++chunk)
        TileSums<true>::add(x + chunk * tile_words, x_row, b + chunk * panel_floats);
      TileSums<true>::store(sums, row);
      if (!whole) copy(edge, side, side, columns, to, g.dw_row);
    }
}

void weight_gradient(const WeightGradient& g, i64 image, i64 images, float* scratch) {
  const Windows& s = g.windows;
  const i64 most = gradient_rows(s);
  const TurnedBand whole(s, most);
  float *turned = scratch, *outputs = turned + whole.floats(),
        *zeros = outputs + round_up(most * s.ow, tile_depth) / 2 * round_up(g.columns, side);
  auto** pixels = reinterpret_cast<const float**>(zeros + s.c);
  zero(zeros, s.c);
  bool first = true;
  const TileRegisters registers;
  for (i64 n = image; n < image + images; ++n)
    for (i64 row = 0; row < s.oh && s.ow > 0; row += most) {
      const TurnedBand band(s, std::min(most, s.oh - row));
      const i64 count = band.rows * s.ow, chunks = ceil_div(count, tile_depth);
      const float* dy = g.dy + (n * s.oh + row) * s.ow * g.dy_pixel;
      for (i64 column = 0; column < g.columns; column += side)
        pack_across_as_tiles<1>(dy + column, g.dy_pixel, std::min(side, g.columns - column), count,
                                outputs + column / side * chunks * panel_floats);
      for (i64 b = 0; b < s.kw; ++b) {
        band.turn(g.x + n * s.h * s.w * s.pixel, row, b, zeros, pixels, turned);
        for (i64 a = 0; a < s.kh; ++a)
          tap_gradient(g, band.tile(turned, a), band.length / 2, chunks, outputs,
                       g.dw + (a * s.kw + b) * s.c * g.dw_row, first);
      }
      first = false;
    }
  for (i64 i = 0; first && i < s.depth(); ++i) zero(g.dw + i * g.dw_row, g.columns);
}

}  // namespace

ConvKernels conv_tiles() { return {convolution, weight_gradient, nullptr, pack, lanes}; }

}  // namespace goneuron::cpu
GONEURON_TILES_END
#else
namespace goneuron::cpu {
ConvKernels conv_tiles() { return conv_bf16_kernels(); }
}  // namespace goneuron::cpu
#endif

namespace goneuron::cpu {

i64 conv_tiles_floats(const Windows& s) {
  // Words take half of the room of floats; tiles read as far as whole ones behind the last pixel.
  const i64 beyond = s.ow > 1 ? 32 * s.stride_w * s.c : 0;
  return (s.band_floats() + beyond) / 2 + 1;
}

i64 conv_tiles_gradient_floats(const Windows& s, i64 columns) {
#if defined(__x86_64__)
  const i64 rows = gradient_rows(s), length = TurnedBand::length_of(s, rows), pointer = 2;
  return TurnedBand(s, rows).floats() +
         round_up(rows * s.ow, bf16::tile_depth) / 2 * round_up(columns, side) + round_up(s.c, 2) +
         pointer * length;
#else
  return weight_gradient_bf16_floats(s, columns);
#endif
}

}  // namespace goneuron::cpu
