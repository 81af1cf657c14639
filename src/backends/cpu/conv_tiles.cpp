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
constexpr i64 row_bytes = tile_words * sizeof(float);

/// Sums of 16 rows, or 32, with 32 columns: registers 0 to 3.
template <bool kTwo>
struct Sums {
  /// c, or a row that is repeated where `row` is 0, or zeros without one.
  static void load(const float* c, i64 row) {
    const i64 bytes = row * i64{sizeof(float)};
    if (!c) {
      tile_zero<0>();
      tile_zero<1>();
      tile_zero<2>();
      tile_zero<3>();
      return;
    }
    tile_load<0>(c, bytes);
    tile_load<1>(c + lanes, bytes);
    if constexpr (!kTwo) return;
    tile_load<2>(c + tile_rows * row, bytes);
    tile_load<3>(c + tile_rows * row + lanes, bytes);
  }
  static void store(float* c, i64 row) {
    const i64 bytes = row * i64{sizeof(float)};
    tile_store<0>(c, bytes);
    tile_store<1>(c + lanes, bytes);
    if constexpr (!kTwo) return;
    tile_store<2>(c + tile_rows * row, bytes);
    tile_store<3>(c + tile_rows * row + lanes, bytes);
  }
  /// Rows of a lie `row` floats apart; b is a panel's 32 of the depth.
  static void add(const float* a, i64 row, const float* b) {
    const i64 bytes = row * i64{sizeof(float)};
    tile_load<4>(a, bytes);
    tile_load<6>(b, row_bytes);
    tile_multiply<0, 4, 6>();
    tile_load<7>(b + tile_words * lanes, row_bytes);
    tile_multiply<1, 4, 7>();
    if constexpr (!kTwo) return;
    tile_load<5>(a + tile_rows * row, bytes);
    tile_multiply<2, 5, 6>();
    tile_multiply<3, 5, 7>();
  }
};

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
  const i64 image_row = s.w * s.pixel, window = s.stride_w * s.pixel;
  by_height(rows, [&](auto two) {
    using S = Sums<decltype(two)::value>;
    S::load(bias, 0);
    for (i64 i = 0; i < s.kh; ++i)
      for (i64 j = 0; j < s.kw; ++j) {
        const float* pixel = a + i * s.dilation_h * image_row + j * s.dilation_w * s.pixel;
        for (i64 c = 0; c < s.pixel; c += tile_words, b += panel_floats)
          S::add(pixel + c, window, b);
      }
    if (columns == side && rows == (two ? side : tile_rows)) return S::store(y, y_pixel);
    alignas(64) float edge[side * side];
    S::store(edge, side);
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
  const Tiles tiles;
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

/// What the gradient works on at a time: windows, whose pixels and gradients stay in the caches.
constexpr i64 most_windows = 512;

/// Where windows of several images begin, and the pixels that one tap of each sees.
class TapPixels {
 public:
  /// `zeros` stand for padding.
  TapPixels(const Windows& s, const float* x, const float* zeros) : s_(s), x_(x), zeros_(zeros) {}

  void of_windows(i64 image, i64 first, i64 count) {
    const i64 windows = s_.oh * s_.ow;
    image += first / windows;
    i64 y = first % windows / s_.ow, x = first % s_.ow;
    for (i64 i = 0; i < count; ++i) {
      y_[i] = y * s_.stride_h - s_.top;
      x_of_[i] = x * s_.stride_w - s_.left;
      at_[i] = ((image * s_.h + y_[i]) * s_.w + x_of_[i]) * s_.pixel;
      if (++x < s_.ow) continue;
      x = 0;
      if (++y < s_.oh) continue;
      y = 0;
      ++image;
    }
    count_ = count;
    std::fill(std::begin(pixels_), std::end(pixels_), zeros_);
  }
  const float* const* of_tap(i64 row, i64 column) {
    const i64 down = row * s_.dilation_h, right = column * s_.dilation_w,
              step = (down * s_.w + right) * s_.pixel;
    for (i64 i = 0; i < count_; ++i) {
      const i64 y = y_[i] + down, x = x_of_[i] + right;
      const bool inside = y >= 0 && y < s_.h && x >= 0 && x < s_.w;
      pixels_[i] = inside ? x_ + at_[i] + step : zeros_;
    }
    return pixels_;
  }

 private:
  const Windows& s_;
  const float *const x_, *const zeros_;
  i64 count_ = 0;
  i64 y_[most_windows], x_of_[most_windows], at_[most_windows];
  const float* pixels_[most_windows];
};

/// 32 channels from `c` on of pixels, 32 of them to a chunk, as tiles of A: [chunks, 32 channels,
/// 16 words of two pixels].
void turn_pixels(const float* const* from, i64 chunks, i64 c, float* to) {
  for (i64 chunk = 0; chunk < chunks; ++chunk, from += tile_depth)
    for (i64 half = c; half < c + side; half += lanes, to += tile_rows * tile_words) {
      __m512i words[1][tile_words];
#pragma GCC unroll 16
      for (i64 p = 0; p < tile_words; ++p)
        words[0][p] =
            pairs(_mm512_loadu_ps(from[2 * p] + half), _mm512_loadu_ps(from[2 * p + 1] + half));
      turn_words(words, [&](i64, i64 channel, __m512i row) {
        _mm512_storeu_si512(to + channel * tile_words, row);
      });
    }
}

/// The sums of one tap over a band of windows.
void tap_gradient(const WeightGradient& g, const float* const* pixels, i64 chunks,
                  const float* outputs, float* turned, float* dw, bool first) {
  for (i64 c = 0; c < g.windows.c; c += side) {
    turn_pixels(pixels, chunks, c, turned);
    for (i64 column = 0; column < g.columns; column += side) {
      const float* b = outputs + column / side * chunks * panel_floats;
      float* to = dw + c * g.dw_row + column;
      const i64 columns = std::min(side, g.columns - column);
      alignas(64) float edge[side * side];
      const bool whole = columns == side;
      if (!whole && !first) copy(to, g.dw_row, side, columns, edge, side);
      float* sums = whole ? to : edge;
      const i64 row = whole ? g.dw_row : side;
      Sums<true>::load(first ? nullptr : sums, row);
      for (i64 chunk = 0; chunk < chunks; ++chunk)
        Sums<true>::add(turned + chunk * side * tile_words, tile_words, b + chunk * panel_floats);
      Sums<true>::store(sums, row);
      if (!whole) copy(edge, side, side, columns, to, g.dw_row);
    }
  }
}

void weight_gradient(const WeightGradient& g, i64 image, i64 images, float* scratch) {
  const Windows& s = g.windows;
  const i64 windows = s.oh * s.ow, all = images * windows;
  if (all == 0) {
    for (i64 i = 0; i < s.depth(); ++i) zero(g.dw + i * g.dw_row, g.columns);
    return;
  }
  float *outputs = scratch, *turned = outputs + round_up(g.columns, side) * most_windows / 2,
        *zeros = turned + side * most_windows / 2;
  zero(zeros, s.c);
  TapPixels pixels(s, g.x, zeros);
  const Tiles tiles;
  for (i64 from = 0; from < all; from += most_windows) {
    const i64 count = std::min(most_windows, all - from), chunks = ceil_div(count, tile_depth);
    const float* dy = g.dy + (image * windows + from) * g.dy_pixel;
    for (i64 column = 0; column < g.columns; column += side)
      pack_across_as_tiles<1>(dy + column, g.dy_pixel, std::min(side, g.columns - column), count,
                              outputs + column / side * chunks * panel_floats);
    pixels.of_windows(image, from, count);
    for (i64 a = 0; a < s.kh; ++a)
      for (i64 b = 0; b < s.kw; ++b)
        tap_gradient(g, pixels.of_tap(a, b), chunks, outputs, turned,
                     g.dw + (a * s.kw + b) * s.c * g.dw_row, from == 0);
  }
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
  constexpr i64 most_beyond = 32;
  return (s.band_floats() + most_beyond * s.stride_w * s.c) / 2 + 1;
}

i64 conv_tiles_gradient_floats(const Windows& s, i64 columns) {
  constexpr i64 side = 32, windows = 512;
  return (round_up(columns, side) + side) * windows / 2 + s.c;
}

}  // namespace goneuron::cpu
