#include "backends/cpu/channel_rows.h"

#include <algorithm>
#include <cstring>

#include "backends/cpu/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/channel_rows.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h comes first
#include <hwy/highway.h>

#include "backends/cpu/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace goneuron::cpu::HWY_NAMESPACE {
namespace {

constexpr i64 group = 4;        // vectors of columns at a time
constexpr i64 block_rows = 64;  // summed apart: chains stay short, and so do their errors
constexpr i64 narrow = 64;

/// Rows side by side that make one wide row.
i64 rows_together(i64 channels) {
  return channels < narrow && channels % (group * lanes) != 0 ? group * lanes : 1;
}

/// Up to `vectors` vectors at p, of which `left` floats exist.
template <bool kFull>
HWY_INLINE V load(const float* p, i64 left) {
  const D d;
  if (kFull) return hn::LoadU(d, p);
  return hn::MaskedLoad(hn::FirstN(d, static_cast<size_t>(left)), d, p);
}
template <bool kFull>
HWY_INLINE void store(V v, float* p, i64 left) {
  const D d;
  if (kFull)
    hn::StoreU(v, d, p);
  else
    hn::BlendedStore(v, hn::FirstN(d, static_cast<size_t>(left)), d, p);
}

enum Sum { sum_of_x, sum_of_squares, sum_of_products, sum_of_masked };
constexpr bool with_dy(Sum sum) { return sum == sum_of_products || sum == sum_of_masked; }
/// What a sum reads, at one column; rows are `stride` apart.
struct Columns {
  const float *x, *dy, *mean;
  float *first, *second;
  i64 stride;
  const float *scale = nullptr, *beta = nullptr;  // of relu's input
  Columns at(i64 column) const {
    return {x + column,
            dy ? dy + column : dy,
            mean ? mean + column : mean,
            first + column,
            second ? second + column : second,
            stride,
            scale ? scale + column : scale,
            beta ? beta + column : beta};
  }
};

template <Sum kSum, i64 vectors, bool kFull>
HWY_INLINE void sum_block(const Columns& at, i64 rows, i64 left) {
  const D d;
  V a[vectors], b[vectors], mean[vectors], scale[vectors], beta[vectors];
#pragma GCC unroll 4
  for (i64 v = 0; v < vectors; ++v) {
    a[v] = b[v] = scale[v] = beta[v] = hn::Zero(d);
    if (kSum == sum_of_masked) {
      scale[v] = load<kFull>(at.scale + v * lanes, left);
      beta[v] = load<kFull>(at.beta + v * lanes, left);
    }
    mean[v] = kSum == sum_of_x ? hn::Zero(d) : load<kFull>(at.mean + v * lanes, left);
  }
  const float *x = at.x, *dy = at.dy;
  for (i64 r = 0; r < rows; ++r, x += at.stride) {
#pragma GCC unroll 4
    for (i64 v = 0; v < vectors; ++v) {
      const V value = load<kFull>(x + v * lanes, left);
      if (kSum == sum_of_x) {
        a[v] = hn::Add(a[v], value);
        continue;
      }
      const V off = hn::Sub(value, mean[v]);
      if (kSum == sum_of_squares) {
        a[v] = hn::MulAdd(off, off, a[v]);
      } else {
        V g = load<kFull>(dy + v * lanes, left);
        if (kSum == sum_of_masked) {
          const V z = hn::MulAdd(off, scale[v], beta[v]);
          g = hn::IfThenElseZero(hn::Gt(z, hn::Zero(d)), g);
        }
        a[v] = hn::MulAdd(off, g, a[v]);
        b[v] = hn::Add(b[v], g);
      }
    }
    if (with_dy(kSum)) dy += at.stride;
  }
#pragma GCC unroll 4
  for (i64 v = 0; v < vectors; ++v) {
    float* first = at.first + v * lanes;
    store<kFull>(hn::Add(load<kFull>(first, left), a[v]), first, left);
    if (!with_dy(kSum)) continue;
    float* second = at.second + v * lanes;
    store<kFull>(hn::Add(load<kFull>(second, left), b[v]), second, left);
  }
}

/// Sums of `columns` columns over rows, block by block.
template <Sum kSum>
void sum_rows(Columns at, i64 rows, i64 columns) {
  for (i64 r = 0; r < rows; r += block_rows) {
    const i64 count = std::min(block_rows, rows - r);
    i64 j = 0;
    for (; j + group * lanes <= columns; j += group * lanes)
      sum_block<kSum, group, true>(at.at(j), count, 0);
    for (; j + lanes <= columns; j += lanes) sum_block<kSum, 1, true>(at.at(j), count, 0);
    if (j < columns) sum_block<kSum, 1, false>(at.at(j), count, columns - j);
    at.x += count * at.stride;
    if (at.dy) at.dy += count * at.stride;
  }
}

void repeat(const float* from, i64 channels, i64 times, float* to) {
  for (i64 i = 0; i < times; ++i)
    std::memcpy(to + i * channels, from, static_cast<size_t>(channels) * sizeof(float));
}

template <Sum kSum>
void sum_channels(const Columns& of, i64 rows, i64 channels, float* scratch) {
  const i64 times = rows_together(channels), wide = times * channels;
  if (times == 1) return sum_rows<kSum>(of, rows, channels);
  float *first = scratch, *second = first + wide, *mean = second + wide;
  std::memset(first, 0, 2 * static_cast<size_t>(wide) * sizeof(float));
  if (of.mean) repeat(of.mean, channels, times, mean);
  Columns at{of.x, of.dy, mean, first, second, wide};
  if (kSum == sum_of_masked) {
    float *scale = mean + wide, *beta = scale + wide;
    repeat(of.scale, channels, times, scale);
    repeat(of.beta, channels, times, beta);
    at.scale = scale;
    at.beta = beta;
  }
  const i64 whole = rows / times;
  sum_rows<kSum>(at, whole, wide);
  at.x += whole * wide;
  if (at.dy) at.dy += whole * wide;
  sum_rows<kSum>(at, 1, (rows - whole * times) * channels);
  for (i64 half = times / 2; half > 0; half /= 2)  // a power of two
    for (i64 i = 0; i < half * channels; ++i) {
      first[i] += first[half * channels + i];
      second[i] += second[half * channels + i];
    }
  for (i64 j = 0; j < channels; ++j) {
    of.first[j] += first[j];
    if (of.second) of.second[j] += second[j];
  }
}

void deviations(const float* x, const float* dy, const float* mean, i64 rows, i64 channels,
                float* first, float* second, float* scratch) {
  const Columns of{x, dy, mean, first, second, channels};
  if (dy)
    sum_channels<sum_of_products>(of, rows, channels, scratch);
  else
    sum_channels<sum_of_squares>(of, rows, channels, scratch);
}
void masked_deviations(const float* x, const float* dy, const float* mean, const float* scale,
                       const float* beta, i64 rows, i64 channels, float* first, float* second,
                       float* scratch) {
  sum_channels<sum_of_masked>({x, dy, mean, first, second, channels, scale, beta}, rows, channels,
                              scratch);
}
void sums(const float* x, i64 rows, i64 channels, i64 stride, float* sums, float* scratch) {
  const Columns of{x, nullptr, nullptr, sums, nullptr, stride};
  if (stride == channels)
    sum_channels<sum_of_x>(of, rows, channels, scratch);
  else
    sum_rows<sum_of_x>(of, rows, channels);
}

enum Normal { plain, with_relu, gradient, masked_gradient };

/// A vector of one row: `off` is x - mean, the rest is what stands in Normalise for its channels.
struct Coefficients {
  V mean, scale, shift, slope, beta;
};
template <Normal kWhat, bool kFull>
HWY_INLINE Coefficients coefficients(const Normalise& a, i64 column, i64 left) {
  const auto at = [&](const float* p) { return load<kFull>(p + column, left); };
  Coefficients c;
  c.mean = at(a.mean);
  c.scale = at(a.scale);
  c.shift = at(a.shift);
  c.slope = kWhat == gradient || kWhat == masked_gradient ? at(a.slope) : c.shift;
  c.beta = kWhat == masked_gradient ? at(a.beta) : c.shift;
  return c;
}
template <Normal kWhat, bool kFull>
HWY_INLINE void normalise_at(const Normalise& a, const Coefficients& c, i64 at, i64 left) {
  const V off = hn::Sub(load<kFull>(a.x + at, left), c.mean), zero = hn::Zero(D());
  if (kWhat == plain || kWhat == with_relu) {
    V y = hn::MulAdd(off, c.scale, c.shift);
    if (kWhat == with_relu) {
      if (a.residual) y = hn::Add(y, load<kFull>(a.residual + at, left));
      y = hn::IfThenZeroElse(hn::Lt(y, zero), y);
    }
    return store<kFull>(y, a.y + at, left);
  }
  V dy = load<kFull>(a.dy + at, left);
  if (kWhat == masked_gradient)
    dy = hn::IfThenElseZero(hn::Gt(hn::MulAdd(off, c.scale, c.beta), zero), dy);
  const V g = hn::Sub(dy, c.shift);
  store<kFull>(hn::Mul(c.scale, hn::NegMulAdd(off, c.slope, g)), a.y + at, left);
}

/// Some vectors of columns of some rows: what belongs to the channels stays in registers.
template <Normal kWhat, i64 vectors, bool kFull>
HWY_INLINE void normalise_block(const Normalise& a, i64 at, i64 column, i64 rows, i64 stride,
                                i64 left) {
  Coefficients c[vectors];
#pragma GCC unroll 4
  for (i64 v = 0; v < vectors; ++v) c[v] = coefficients<kWhat, kFull>(a, column + v * lanes, left);
  for (i64 r = 0; r < rows; ++r, at += stride)
#pragma GCC unroll 4
    for (i64 v = 0; v < vectors; ++v) normalise_at<kWhat, kFull>(a, c[v], at + v * lanes, left);
}

/// `rows` rows of `columns`, `stride` apart, from `at`.
template <Normal kWhat>
void normalise_rows(const Normalise& a, i64 at, i64 rows, i64 columns, i64 stride) {
  for (i64 r = 0; r < rows; r += block_rows, at += block_rows * stride) {
    const i64 count = std::min(block_rows, rows - r);
    i64 j = 0;
    for (; j + group * lanes <= columns; j += group * lanes)
      normalise_block<kWhat, group, true>(a, at + j, j, count, stride, 0);
    for (; j + lanes <= columns; j += lanes)
      normalise_block<kWhat, 1, true>(a, at + j, j, count, stride, 0);
    if (j < columns) normalise_block<kWhat, 1, false>(a, at + j, j, count, stride, columns - j);
  }
}

void normalise(const Normalise& args, i64 rows, i64 channels, float* scratch) {
  const i64 times = rows_together(channels), wide = times * channels;
  Normalise a = args;
  if (times > 1) {
    for (const float** per_channel : {&a.mean, &a.scale, &a.shift, &a.slope, &a.beta}) {
      if (*per_channel == nullptr) continue;
      repeat(*per_channel, channels, times, scratch);
      *per_channel = scratch;
      scratch += wide;
    }
  }
  const auto run = a.dy     ? (a.beta ? normalise_rows<masked_gradient> : normalise_rows<gradient>)
                   : a.relu ? normalise_rows<with_relu>
                            : normalise_rows<plain>;
  const i64 count = rows * channels, whole = count / wide;
  run(a, 0, whole, wide, wide);
  run(a, whole * wide, 1, count - whole * wide, wide);
}

}  // namespace

ChannelRows find_channel_rows() { return {deviations, sums, masked_deviations, normalise}; }

}  // namespace goneuron::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace goneuron::cpu {

i64 channel_rows_scratch(i64 channels) {
  constexpr i64 most_together = 64, narrow = 64, vectors = 5;
  return channels < narrow ? vectors * most_together * channels * i64{sizeof(float)} : 0;
}

HWY_EXPORT(find_channel_rows);
ChannelRows channel_rows() {
  choose_target();
  return HWY_DYNAMIC_DISPATCH(find_channel_rows)();
}

}  // namespace goneuron::cpu
#endif
