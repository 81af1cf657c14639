#include "backends/cpu/winograd.h"

#include <algorithm>
#include <cstring>

#include "backends/cpu/gemm_tile.h"
#include "backends/cpu/target.h"
#include "backends/cpu/tile_height.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/winograd.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h comes first
#include <hwy/highway.h>

#include "backends/cpu/vectors-inl.h"

// What does not depend on the target.
#ifndef GONEURON_WINOGRAD
#define GONEURON_WINOGRAD
namespace goneuron::cpu {
namespace {

constexpr i64 taps = 3, side = 4, points = side + taps - 1, products = points * points;
constexpr i64 widest_panel = 32;
constexpr i64 line = 16;  // floats; matrices lie one apart, lest all of them start in one set

/// How many tiles are worked on at a time: as few as keep products busy, since their values at all
/// points stay in the caches; gradients read and write the sums of all weights each time.
constexpr i64 forward_tiles = 24, gradient_tiles = 64;

/// Matrices of one block, one for each point.
struct Matrices {
  i64 rows, pitch;
  i64 apart() const { return rows * pitch + line; }
  i64 floats() const { return products * apart(); }
};
Matrices matrices(i64 rows, i64 columns) { return {rows, round_up(columns, widest_panel)}; }

/// The tiles of a part: the images, rows and columns that they are of.
struct Tiles {
  i64 image, first, rows, columns, count;  // rows of tiles, of which `first` is the first
  Tiles(const Windows& s, const ConvPart& p)
      : image(p.image),
        first(p.row / side),
        rows(ceil_div(p.row + p.rows, side) - first),
        columns(ceil_div(s.ow, side)),
        count(p.images * rows * columns) {}
  struct At {
    i64 image, y, x;  // of the first output
  };
  At at(i64 tile) const {
    const i64 row = tile / columns;
    return {image + row / rows, (first + row % rows) * side, tile % columns * side};
  }
};

}  // namespace
}  // namespace goneuron::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace goneuron::cpu::HWY_NAMESPACE {

#include "backends/cpu/gemm_tile-inl.h"

namespace {

constexpr float a = 0.75F, b = 1.5F;  // the points are 0, a, -a, b, -b and infinity
constexpr float a2 = a * a, b2 = b * b, a3 = a2 * a, b3 = b2 * b;
constexpr float scale_0 = 1 / (a2 * b2), scale_a = 1 / (2 * a2 * (a2 - b2)),
                scale_b = 1 / (2 * b2 * (b2 - a2));  // 1 / product of a point's distances

HWY_INLINE V times(float k, V x) { return hn::Mul(hn::Set(D(), k), x); }
HWY_INLINE V plus(V x, float k, V y) { return hn::MulAdd(hn::Set(D(), k), y, x); }

/// Six pixels to points.
struct PixelsToPoints {
  static HWY_INLINE void run(const V (&x)[points], V (&y)[points]) {
    y[0] = plus(plus(x[4], -(a2 + b2), x[2]), a2 * b2, x[0]);
    const V even_a = plus(x[4], -b2, x[2]), odd_a = plus(x[3], -b2, x[1]);
    y[1] = plus(even_a, a, odd_a);
    y[2] = plus(even_a, -a, odd_a);
    const V even_b = plus(x[4], -a2, x[2]), odd_b = plus(x[3], -a2, x[1]);
    y[3] = plus(even_b, b, odd_b);
    y[4] = plus(even_b, -b, odd_b);
    y[5] = plus(plus(x[5], -(a2 + b2), x[3]), a2 * b2, x[1]);
  }
};
/// Three taps to points.
struct TapsToPoints {
  static HWY_INLINE void run(const V (&x)[taps], V (&y)[points]) {
    y[0] = times(scale_0, x[0]);
    const V even_a = plus(x[0], a2, x[2]), even_b = plus(x[0], b2, x[2]);
    y[1] = times(scale_a, plus(even_a, a, x[1]));
    y[2] = times(scale_a, plus(even_a, -a, x[1]));
    y[3] = times(scale_b, plus(even_b, b, x[1]));
    y[4] = times(scale_b, plus(even_b, -b, x[1]));
    y[5] = x[2];
  }
};
/// Points to four outputs.
struct PointsToOutputs {
  static HWY_INLINE void run(const V (&x)[points], V (&y)[side]) {
    const V sum_a = hn::Add(x[1], x[2]), sum_b = hn::Add(x[3], x[4]);
    const V odd_a = hn::Sub(x[1], x[2]), odd_b = hn::Sub(x[3], x[4]);
    y[0] = hn::Add(x[0], hn::Add(sum_a, sum_b));
    y[1] = plus(times(b, odd_b), a, odd_a);
    y[2] = plus(times(b2, sum_b), a2, sum_a);
    y[3] = plus(plus(x[5], b3, odd_b), a3, odd_a);
  }
};
/// Its transpose: gradients of four outputs to points.
struct OutputsToPoints {
  static HWY_INLINE void run(const V (&x)[side], V (&y)[points]) {
    y[0] = x[0];
    const V even_a = plus(x[0], a2, x[2]), odd_a = plus(times(a, x[1]), a3, x[3]);
    y[1] = hn::Add(even_a, odd_a);
    y[2] = hn::Sub(even_a, odd_a);
    const V even_b = plus(x[0], b2, x[2]), odd_b = plus(times(b, x[1]), b3, x[3]);
    y[3] = hn::Add(even_b, odd_b);
    y[4] = hn::Sub(even_b, odd_b);
    y[5] = x[3];
  }
};
/// The transpose of TapsToPoints: points to the gradients of three taps.
struct PointsToTaps {
  static HWY_INLINE void run(const V (&x)[points], V (&y)[taps]) {
    const V sum_a = times(scale_a, hn::Add(x[1], x[2])),
            sum_b = times(scale_b, hn::Add(x[3], x[4]));
    const V odd_a = times(scale_a, hn::Sub(x[1], x[2])),
            odd_b = times(scale_b, hn::Sub(x[3], x[4]));
    y[0] = plus(hn::Add(sum_a, sum_b), scale_0, x[0]);
    y[1] = plus(times(b, odd_b), a, odd_a);
    y[2] = plus(plus(x[5], b2, sum_b), a2, sum_a);
  }
};

/// One of them along both axes of a square.
template <class Map, i64 kFrom, i64 kTo>
HWY_INLINE void both_axes(const V (&x)[kFrom][kFrom], V (&y)[kTo][kTo]) {
  V half[kTo][kFrom];
#pragma GCC unroll 6
  for (i64 i = 0; i < kFrom; ++i) {
    V to[kTo];
    Map::run(x[i], to);
#pragma GCC unroll 6
    for (i64 j = 0; j < kTo; ++j) half[j][i] = to[j];
  }
#pragma GCC unroll 6
  for (i64 j = 0; j < kTo; ++j) {
    V to[kTo];
    Map::run(half[j], to);
#pragma GCC unroll 6
    for (i64 i = 0; i < kTo; ++i) y[i][j] = to[i];
  }
}

template <class Map, i64 kFrom>
HWY_INLINE void map_and_store(const V (&x)[kFrom], float* to, i64 apart) {
  V y[points];
  Map::run(x, y);
#pragma GCC unroll 6
  for (i64 j = 0; j < points; ++j, to += apart) hn::StoreU(y[j], D(), to);
}

/// Rows kRow and, where kPair, kRow + 1 of the points of a square.
template <class Map, i64 kFrom, i64 kRow, bool kPair, class Load>
HWY_INLINE void rows_to_points(const Load& load, float* to, i64 apart) {
  V one[kFrom], two[kFrom], y[points];
#pragma GCC unroll 6
  for (i64 j = 0; j < kFrom; ++j) {
    V x[kFrom];
#pragma GCC unroll 6
    for (i64 i = 0; i < kFrom; ++i) x[i] = load(i, j);
    Map::run(x, y);
    one[j] = y[kRow];
    if (kPair) two[j] = y[kRow + 1];
  }
  map_and_store<Map>(one, to + kRow * points * apart, apart);
  if (kPair) map_and_store<Map>(two, to + (kRow + 1) * points * apart, apart);
}

/// A square load(i, j) at all points, one to each matrix. Rows of points that share terms are made
/// together, and no more: the registers hold what is worked on.
template <class Map, i64 kFrom, class Load>
HWY_INLINE void to_points(const Load& load, float* to, i64 apart) {
  rows_to_points<Map, kFrom, 0, false>(load, to, apart);
  rows_to_points<Map, kFrom, 1, true>(load, to, apart);
  rows_to_points<Map, kFrom, 3, true>(load, to, apart);
  rows_to_points<Map, kFrom, 5, false>(load, to, apart);
}

HWY_INLINE void load_points(const float* from, i64 apart, V (&x)[points][points]) {
#pragma GCC unroll 6
  for (i64 i = 0; i < points; ++i)
#pragma GCC unroll 6
    for (i64 j = 0; j < points; ++j, from += apart) x[i][j] = hn::LoadU(D(), from);
}

/// Weights at all points: matrices of panels, [depth, nr] each; a narrower last one ends in zeros.
void transform_weights(const Packing& p, float* to, i64 apart) {
  const D d;
  const i64 columns = p.transposed ? p.in : p.out, depth = p.transposed ? p.out : p.in;
  const auto turned = hn::Mul(hn::Iota(hn::RebindToSigned<D>(), 0),
                              hn::Set(hn::RebindToSigned<D>(), static_cast<int>(p.pitch)));
  for (i64 column = 0; column < round_up(columns, nr); column += lanes)
    for (i64 k = 0; k < depth; ++k) {
      V w[taps][taps];
      for (i64 i = 0; i < taps; ++i)
        for (i64 j = 0; j < taps; ++j) {
          const i64 tap =
              (p.rows.first + i * p.rows.step) * p.kw + p.columns.first + j * p.columns.step;
          const float* from = p.w + tap * p.in * p.pitch;
          w[i][j] = column >= columns ? hn::Zero(d)
                    : p.transposed    ? hn::GatherIndex(d, from + column * p.pitch + k, turned)
                                      : hn::LoadU(d, from + k * p.pitch + column);
        }
      to_points<TapsToPoints, taps>([&](i64 i, i64 j) { return w[i][j]; },
                                    to + column / nr * nr * depth + k * nr + column % nr, apart);
    }
}

/// The pixels that tiles see, at all points, one tile to each row of the matrices.
void transform_pixels(const Windows& s, const float* x, const Tiles& tiles, i64 first, i64 count,
                      const float* zeros, const Matrices& m, float* to) {
  const D d;
  for (i64 t = 0; t < count; ++t, to += m.pitch) {
    const Tiles::At at = tiles.at(first + t);
    const float* from[points][points];
    for (i64 i = 0; i < points; ++i)
      for (i64 j = 0; j < points; ++j) {
        const i64 row = at.y - s.top + i, column = at.x - s.left + j;
        const bool inside = row >= 0 && row < s.h && column >= 0 && column < s.w;
        from[i][j] = inside ? x + ((at.image * s.h + row) * s.w + column) * s.pixel : zeros;
      }
    for (i64 c = 0; c < s.c; c += lanes) {
      // What the tiles before did not see is asked for one vector ahead.
      for (i64 i = points - side; i < points; ++i)
        for (i64 j = points - side; j < points; ++j) __builtin_prefetch(from[i][j] + c + lanes);
      to_points<PixelsToPoints, points>([&](i64 i, i64 j) { return hn::LoadU(d, from[i][j] + c); },
                                        to + c, m.apart());
    }
  }
}

/// Outputs of tiles from their values at all points, with bias and activation.
void transform_outputs(const Convolution& v, const ConvPart& part, const Tiles& tiles, i64 first,
                       i64 count, const Matrices& m, const float* from) {
  const D d;
  for (i64 t = 0; t < count; ++t, from += m.pitch) {
    const Tiles::At at = tiles.at(first + t);
    const i64 top = std::max<i64>(part.row - at.y, 0),
              bottom = std::min(part.row + part.rows - at.y, side),
              width = std::min(v.windows.ow - at.x, side);
    const i64 begin = at.image * v.y_image + at.y * v.y_row + at.x * v.y_pixel;
    for (i64 c = 0; c < v.columns; c += lanes) {
      V x[points][points], y[side][side];
      load_points(from + c, m.apart(), x);
      both_axes<PointsToOutputs>(x, y);
      const V bias = v.bias ? hn::LoadU(d, v.bias + c) : hn::Zero(d);
      for (i64 i = top; i < bottom; ++i)
        for (i64 j = 0; j < width; ++j)
          hn::StoreU(hn::Add(y[i][j], bias), d, v.y + begin + i * v.y_row + j * v.y_pixel + c);
    }
    if (!v.activation && !v.z) continue;
    const i64 pieces = v.y_pixel == v.columns ? 1 : width, floats = width / pieces * v.columns;
    for (i64 i = top; i < bottom; ++i)
      for (i64 j = 0; j < pieces; ++j) {
        const i64 to = begin + i * v.y_row + j * v.y_pixel;
        if (v.z) std::memcpy(v.z + to, v.y + to, static_cast<size_t>(floats) * sizeof(float));
        if (v.activation) v.activation(v.y + to, v.y + to, floats, v.alpha, 0);
      }
  }
}

/// c (+)= a b over `depth`; a as the register tile reads it, b in panels.
void product(const float* from, i64 a_row, i64 a_step, const float* panels, i64 rows, i64 columns,
             i64 depth, bool add, float* to, i64 pitch) {
  const i64 height = tile_height(rows, max_mr);
  const auto tile_of = [&](i64 of) { return gemm_tile(of, a_step == 1); };
  const Micro tile = tile_of(height);
  for (i64 column = 0; column < columns; column += nr, panels += depth * nr)
    for (i64 i = 0; i < rows; i += height) {
      const Micro here = rows - i < height ? tile_of(rows - i) : tile;
      here({from + i * a_row, a_row, a_step, panels, nr, depth, to + i * pitch + column, pitch,
            add});
    }
}

void convolution(const Convolution& v, const Packing& weights, const ConvPart& part,
                 float* scratch) {
  const Windows& s = v.windows;
  constexpr i64 most = forward_tiles;
  const Matrices w = matrices(s.c, v.columns), x = matrices(most, s.c),
                 y = matrices(most, v.columns);
  float *at_w = scratch, *at_x = at_w + w.floats(), *at_y = at_x + x.floats(),
        *zeros = at_y + y.floats();
  std::memset(zeros, 0, static_cast<size_t>(s.c) * sizeof(float));
  transform_weights(weights, at_w, w.apart());
  const Tiles tiles(s, part);
  for (i64 first = 0; first < tiles.count; first += most) {
    const i64 count = std::min(most, tiles.count - first);
    transform_pixels(s, v.x, tiles, first, count, zeros, x, at_x);
    for (i64 p = 0; p < products; ++p)
      product(at_x + p * x.apart(), x.pitch, 1, at_w + p * w.apart(), count, v.columns, s.c, false,
              at_y + p * y.apart(), y.pitch);
    transform_outputs(v, part, tiles, first, count, y, at_y);
  }
}

/// Gradients of the outputs of tiles at all points, as panels of columns, [count, nr] each.
void transform_gradients(const WeightGradient& g, const Tiles& tiles, i64 first, i64 count,
                         i64 apart, float* to) {
  const D d;
  const Windows& s = g.windows;
  for (i64 t = 0; t < count; ++t) {
    const Tiles::At at = tiles.at(first + t);
    const float* from = g.dy + ((at.image * s.oh + at.y) * s.ow + at.x) * g.dy_pixel;
    const i64 height = std::min(s.oh - at.y, side), width = std::min(s.ow - at.x, side);
    for (i64 c = 0; c < round_up(g.columns, nr); c += lanes) {
      V x[side][side];
      for (i64 i = 0; i < side; ++i)
        for (i64 j = 0; j < side; ++j)
          x[i][j] = i < height && j < width && c < g.columns
                        ? hn::LoadU(d, from + (i * s.ow + j) * g.dy_pixel + c)
                        : hn::Zero(d);
      to_points<OutputsToPoints, side>([&](i64 i, i64 j) { return x[i][j]; },
                                       to + c / nr * nr * count + t * nr + c % nr, apart);
    }
  }
}

/// Gradients of weights from their values at all points.
void transform_sums(const WeightGradient& g, const Matrices& m, const float* from) {
  const D d;
  const i64 c = g.windows.c;
  for (i64 k = 0; k < c; ++k, from += m.pitch)
    for (i64 column = 0; column < g.columns; column += lanes) {
      V x[points][points], y[taps][taps];
      load_points(from + column, m.apart(), x);
      both_axes<PointsToTaps>(x, y);
      for (i64 i = 0; i < taps; ++i)
        for (i64 j = 0; j < taps; ++j) {
          float* to = g.dw + ((i * taps + j) * c + k) * g.dw_row + column;
          hn::StoreU(y[i][j], d, to);
        }
    }
}

void weight_gradient(const WeightGradient& g, i64 image, i64 images, float* scratch) {
  const Windows& s = g.windows;
  constexpr i64 most = gradient_tiles;
  const Matrices x = matrices(most, s.c), dy = matrices(most, g.columns),
                 sums = matrices(s.c, g.columns);
  float *at_x = scratch, *at_dy = at_x + x.floats(), *at_sums = at_dy + dy.floats(),
        *zeros = at_sums + sums.floats();
  std::memset(zeros, 0, static_cast<size_t>(s.c) * sizeof(float));
  const Tiles tiles(s, {image, images, 0, s.oh});
  if (tiles.count == 0) std::memset(at_sums, 0, static_cast<size_t>(sums.floats()) * sizeof(float));
  for (i64 first = 0; first < tiles.count; first += most) {
    const i64 count = std::min(most, tiles.count - first);
    transform_pixels(s, g.x, tiles, first, count, zeros, x, at_x);
    transform_gradients(g, tiles, first, count, dy.apart(), at_dy);
    for (i64 p = 0; p < products; ++p)
      product(at_x + p * x.apart(), 1, x.pitch, at_dy + p * dy.apart(), s.c, g.columns, count,
              first > 0, at_sums + p * sums.apart(), sums.pitch);
  }
  transform_sums(g, sums, at_sums);
}

}  // namespace

WinogradKernels find_winograd_kernels() { return {convolution, weight_gradient}; }

}  // namespace goneuron::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace goneuron::cpu {

bool winograd_suits(i64 images, const Windows& s, i64 columns) {
  // Channels are whole vectors of any processor; fewer tiles would not make up for turning the
  // weights into points, nor more channels for the memory that they take there.
  constexpr i64 vectors = 16, most_channels = 512, least_tiles = 16;
  const auto fits = [&](i64 n) { return n > 0 && n % vectors == 0 && n <= most_channels; };
  return s.kh == taps && s.kw == taps && s.stride_h == 1 && s.stride_w == 1 && s.dilation_h == 1 &&
         s.dilation_w == 1 && s.oh >= side && s.ow >= side && fits(s.c) && fits(columns) &&
         images * ceil_div(s.oh, side) * ceil_div(s.ow, side) >= least_tiles;
}

i64 winograd_floats(const Windows& s, i64 columns) {
  return matrices(s.c, columns).floats() + matrices(forward_tiles, s.c).floats() +
         matrices(forward_tiles, columns).floats() + s.c;
}

i64 winograd_gradient_floats(const Windows& s, i64 columns) {
  return matrices(gradient_tiles, s.c).floats() + matrices(gradient_tiles, columns).floats() +
         matrices(s.c, columns).floats() + s.c;
}

HWY_EXPORT(find_winograd_kernels);
WinogradKernels winograd_kernels() {
  choose_target();
  return HWY_DYNAMIC_DISPATCH(find_winograd_kernels)();
}

}  // namespace goneuron::cpu
#endif
