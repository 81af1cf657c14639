// Depthwise convolution: channel c of the output sees channel c of the input alone, so that vectors
// run along the channels. Same contract as the loops of conv_loops.cpp.
#include <utility>

#include "backends/cpu/conv_loops.h"
#include "backends/cpu/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/depthwise_loops.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h comes first
#include <hwy/highway.h>

#include "backends/cpu/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace goneuron::cpu::HWY_NAMESPACE {
namespace {

constexpr i64 together = 8;   // outputs that share a load of a weight
constexpr i64 most_taps = 9;  // sums of a weight gradient in registers

/// A vector of channels at p; `left` of them where it is the last one.
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

/// `kCount` neighbouring outputs of one vector of channels; x, b and y point to those.
template <i64 kCount, bool kFull>
void outputs(const Convolution& v, const float* HWY_RESTRICT x, i64 row, i64 column, float* y) {
  const Windows& s = v.windows;
  const D d;
  const i64 left = v.columns - column;
  V sums[kCount];
#pragma GCC unroll 8
  for (i64 i = 0; i < kCount; ++i)
    sums[i] = v.bias ? load<kFull>(v.bias + column, left) : hn::Zero(d);
  const float* b = v.b + column;
  for (i64 ky = 0; ky < s.kh; ++ky)
    for (i64 kx = 0; kx < s.kw; ++kx, b += v.columns) {
      const float* from = x + ky * s.dilation_h * row + kx * s.dilation_w * s.c;
      const V w = load<kFull>(b, left);
#pragma GCC unroll 8
      for (i64 i = 0; i < kCount; ++i, from += s.stride_w * s.c)
        sums[i] = hn::MulAdd(load<kFull>(from, left), w, sums[i]);
    }
#pragma GCC unroll 8
  for (i64 i = 0; i < kCount; ++i) store<kFull>(sums[i], y + i * v.y_pixel, left);
}

template <i64 kCount>
void pixels(const Convolution& v, const float* x, i64 row, float* y) {
  i64 j = 0;
  for (; j + lanes <= v.columns; j += lanes) outputs<kCount, true>(v, x + j, row, j, y + j);
  if (j < v.columns) outputs<kCount, false>(v, x + j, row, j, y + j);
}

void convolution(const Convolution& v, const ConvPart& part, float* band) {
  const Windows& s = v.windows;
  for_bands(s, part, [&](const ConvPart& p) {
    const Source from = source_of(s, v.x, p, band);
    for (i64 n = 0; n < p.images; ++n)
      for (i64 r = 0; r < p.rows; ++r) {
        const float* x = from.x + n * from.image + r * s.stride_h * from.row;
        float* y = v.y + (p.image + n) * v.y_image + (p.row + r) * v.y_row;
        i64 i = 0;
        for (; i + together <= s.ow; i += together)
          pixels<together>(v, x + i * s.stride_w * s.c, from.row, y + i * v.y_pixel);
        for (; i < s.ow; ++i) pixels<1>(v, x + i * s.stride_w * s.c, from.row, y + i * v.y_pixel);
      }
    finish_outputs(v, p);
  });
}

/// Where the taps [first, first + count) look, from the first pixel of a window.
struct Offsets {
  i64 at[most_taps];
  i64 first, count;
};

/// Adds a band to the gradients of kTaps taps, for one vector of channels.
template <i64 kTaps, bool kFull>
void tap_sums(const WeightGradient& g, const ConvPart& p, const Source& from, const Offsets& taps,
              i64 column, bool add) {
  const Windows& s = g.windows;
  const D d;
  const i64 left = s.c - column;
  float* dw = g.dw + taps.first * g.dw_row + column;
  V sums[kTaps];
#pragma GCC unroll 9
  for (i64 t = 0; t < kTaps; ++t)
    sums[t] = add ? load<kFull>(dw + t * g.dw_row, left) : hn::Zero(d);
  for (i64 n = 0; n < p.images; ++n)
    for (i64 r = 0; r < p.rows; ++r) {
      const float* x = from.x + n * from.image + r * s.stride_h * from.row + column;
      const float* dy = g.dy + ((p.image + n) * s.oh + p.row + r) * s.ow * g.dy_pixel + column;
      for (i64 i = 0; i < s.ow; ++i, x += s.stride_w * s.c, dy += g.dy_pixel) {
        const V by = load<kFull>(dy, left);
#pragma GCC unroll 9
        for (i64 t = 0; t < kTaps; ++t)
          sums[t] = hn::MulAdd(load<kFull>(x + taps.at[t], left), by, sums[t]);
      }
    }
#pragma GCC unroll 9
  for (i64 t = 0; t < kTaps; ++t) store<kFull>(sums[t], dw + t * g.dw_row, left);
}

using TapSums = void (*)(const WeightGradient&, const ConvPart&, const Source&, const Offsets&,
                         i64 column, bool add);
template <size_t... kTaps>
TapSums tap_sums_of(i64 taps, bool full, std::index_sequence<kTaps...>) {
  static constexpr TapSums table[2][sizeof...(kTaps)] = {
      {tap_sums<static_cast<i64>(kTaps) + 1, false>...},
      {tap_sums<static_cast<i64>(kTaps) + 1, true>...}};
  return table[full][taps - 1];
}

void weight_gradient(const WeightGradient& g, i64 image, i64 images, float* band) {
  const Windows& s = g.windows;
  const i64 taps = s.kh * s.kw;
  bool add = false;
  for_bands(s, {image, images, 0, s.oh}, [&](const ConvPart& p) {
    const Source from = source_of(s, g.x, p, band);
    for (i64 first = 0; first < taps; first += most_taps) {
      Offsets some{{}, first, std::min(most_taps, taps - first)};
      for (i64 t = 0; t < some.count; ++t)
        some.at[t] =
            (first + t) / s.kw * s.dilation_h * from.row + (first + t) % s.kw * s.dilation_w * s.c;
      for (i64 j = 0; j < s.c; j += lanes)
        tap_sums_of(some.count, j + lanes <= s.c, std::make_index_sequence<most_taps>())(
            g, p, from, some, j, add);
    }
    add = true;
  });
  if (add) return;
  for (i64 t = 0; t < taps; ++t)
    std::memset(g.dw + t * g.dw_row, 0, static_cast<size_t>(s.c) * sizeof(float));
}

i64 pack(const Packing& p, float* to) {
  for (i64 a = 0; a < p.rows.count; ++a)
    for (i64 b = 0; b < p.columns.count; ++b) {
      const i64 tap =
          (p.rows.first + a * p.rows.step) * p.kw + p.columns.first + b * p.columns.step;
      std::memcpy(to + (a * p.columns.count + b) * p.out, p.w + tap * p.pitch,
                  static_cast<size_t>(p.out) * sizeof(float));
    }
  return round_up(p.rows.count * p.columns.count * p.out, 16);
}

}  // namespace

ConvKernels find_depthwise_kernels() { return {convolution, weight_gradient, nullptr, pack}; }

}  // namespace goneuron::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace goneuron::cpu {
HWY_EXPORT(find_depthwise_kernels);
ConvKernels depthwise_kernels() {
  choose_target();
  return HWY_DYNAMIC_DISPATCH(find_depthwise_kernels)();
}
}  // namespace goneuron::cpu
#endif
