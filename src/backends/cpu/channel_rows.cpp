#include "backends/cpu/channel_rows.h"

#include <algorithm>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/channel_rows.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h comes first
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace goneuron::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr i64 lanes = HWY_LANES(float);
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

enum Sum { sum_of_x, sum_of_squares, sum_of_products };
/// What a sum reads, at one column; rows are `stride` apart.
struct Columns {
  const float *x, *dy, *mean;
  float *first, *second;
  i64 stride;
  Columns at(i64 column) const {
    return {x + column,
            dy ? dy + column : dy,
            mean ? mean + column : mean,
            first + column,
            second ? second + column : second,
            stride};
  }
};

template <Sum kSum, i64 vectors, bool kFull>
HWY_INLINE void sum_block(const Columns& at, i64 rows, i64 left) {
  const D d;
  V a[vectors], b[vectors], mean[vectors];
#pragma GCC unroll 4
  for (i64 v = 0; v < vectors; ++v) {
    a[v] = b[v] = hn::Zero(d);
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
        const V g = load<kFull>(dy + v * lanes, left);
        a[v] = hn::MulAdd(off, g, a[v]);
        b[v] = hn::Add(b[v], g);
      }
    }
    if (kSum == sum_of_products) dy += at.stride;
  }
#pragma GCC unroll 4
  for (i64 v = 0; v < vectors; ++v) {
    float* first = at.first + v * lanes;
    store<kFull>(hn::Add(load<kFull>(first, left), a[v]), first, left);
    if (kSum != sum_of_products) continue;
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
void sums(const float* x, i64 rows, i64 channels, i64 stride, float* sums, float* scratch) {
  const Columns of{x, nullptr, nullptr, sums, nullptr, stride};
  if (stride == channels)
    sum_channels<sum_of_x>(of, rows, channels, scratch);
  else
    sum_rows<sum_of_x>(of, rows, channels);
}

template <bool kGradient, bool kFull>
HWY_INLINE void normalise_at(const Normalise& a, i64 at, i64 column, i64 left) {
  const V scale = load<kFull>(a.scale + column, left), shift = load<kFull>(a.shift + column, left);
  const V off = hn::Sub(load<kFull>(a.x + at, left), load<kFull>(a.mean + column, left));
  if (!kGradient) return store<kFull>(hn::MulAdd(off, scale, shift), a.y + at, left);
  const V g = hn::Sub(load<kFull>(a.dy + at, left), shift);
  const V y = hn::Mul(scale, hn::NegMulAdd(off, load<kFull>(a.slope + column, left), g));
  store<kFull>(y, a.y + at, left);
}

/// `count` floats, of rows of `columns`.
template <bool kGradient>
void normalise_rows(const Normalise& a, i64 count, i64 columns) {
  for (i64 at = 0; at < count; at += columns) {
    const i64 length = std::min(columns, count - at);
    i64 j = 0;
    for (; j + lanes <= length; j += lanes) normalise_at<kGradient, true>(a, at + j, j, 0);
    if (j < length) normalise_at<kGradient, false>(a, at + j, j, length - j);
  }
}

void normalise(const Normalise& args, i64 rows, i64 channels, float* scratch) {
  const i64 times = rows_together(channels), wide = times * channels;
  Normalise a = args;
  if (times > 1) {
    for (const float** per_channel : {&a.mean, &a.scale, &a.shift, &a.slope}) {
      if (*per_channel == nullptr) continue;
      repeat(*per_channel, channels, times, scratch);
      *per_channel = scratch;
      scratch += wide;
    }
  }
  if (a.dy)
    normalise_rows<true>(a, rows * channels, wide);
  else
    normalise_rows<false>(a, rows * channels, wide);
}

}  // namespace

ChannelRows find_channel_rows() { return {deviations, sums, normalise}; }

}  // namespace goneuron::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace goneuron::cpu {

i64 channel_rows_scratch(i64 channels) {
  constexpr i64 most_together = 64, narrow = 64, vectors = 4;
  return channels < narrow ? vectors * most_together * channels * i64{sizeof(float)} : 0;
}

HWY_EXPORT(find_channel_rows);
ChannelRows channel_rows() {
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  return HWY_DYNAMIC_DISPATCH(find_channel_rows)();
}

}  // namespace goneuron::cpu
#endif
