// Max pooling and its gradient, a vector of channels at a time.
#include "backends/cpu/pool.h"
#include "backends/cpu/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/kernels/maxpool2d.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h comes first
#include <hwy/highway.h>

#include "backends/cpu/vectors-inl.h"

#ifndef GONEURON_MAXPOOL2D_ARGS
#define GONEURON_MAXPOOL2D_ARGS
namespace goneuron::cpu {

struct MaxPool {
  Pool pool;
  const float* in;      // x, or dy
  float* out;           // y, or dx
  std::uint8_t* index;  // as y: the place in its window, row by row
  void (*row)(const MaxPool&, i64 image, i64 row);
};

}  // namespace goneuron::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace goneuron::cpu::HWY_NAMESPACE {
namespace {

using DI = hn::Rebind<std::int32_t, D>;
using D8 = hn::Rebind<std::uint8_t, D>;
using VI = hn::Vec<DI>;

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
template <bool kFull>
HWY_INLINE VI load_index(const std::uint8_t* p, i64 left) {
  const D8 d8;
  const DI di;
  if (kFull) return hn::PromoteTo(di, hn::LoadU(d8, p));
  HWY_ALIGN std::uint8_t part[lanes] = {};
  for (i64 i = 0; i < left; ++i) part[i] = p[i];
  return hn::PromoteTo(di, hn::Load(d8, part));
}
template <bool kFull>
HWY_INLINE void store_index(VI v, std::uint8_t* p, i64 left) {
  const D8 d8;
  if (kFull) {
    hn::StoreU(hn::DemoteTo(d8, v), d8, p);
    return;
  }
  HWY_ALIGN std::uint8_t part[lanes];
  hn::Store(hn::DemoteTo(d8, v), d8, part);
  for (i64 i = 0; i < left; ++i) p[i] = part[i];
}

/// One window. The first of equal values wins, and NaN over all.
template <bool kFull>
HWY_INLINE void window(const MaxPool& m, const float* image, const Span& rows, const Span& columns,
                       i64 top, i64 left, i64 channel, i64 at) {
  const D d;
  const DI di;
  const Pool& p = m.pool;
  const i64 rest = p.c - channel;
  V best = hn::Zero(d);
  VI index = hn::Zero(di);
  bool first = true;
  for (i64 iy = rows.begin; iy < rows.end; ++iy)
    for (i64 ix = columns.begin; ix < columns.end; ++ix) {
      const V value = load<kFull>(image + (iy * p.w + ix) * p.c + channel, rest);
      const VI cell =
          hn::Set(di, static_cast<std::int32_t>((iy - top) * p.window.kernel_w + ix - left));
      if (first) {
        best = value;
        index = cell;
        first = false;
        continue;
      }
      // Not (value <= best): larger, or one of them is NaN.
      const auto wins = hn::AndNot(hn::IsNaN(best), hn::Not(hn::Le(value, best)));
      best = hn::IfThenElse(wins, value, best);
      index = hn::IfThenElse(hn::RebindMask(di, wins), cell, index);
    }
  store<kFull>(best, m.out + at, rest);
  store_index<kFull>(index, m.index + at, rest);
}

void forward_row(const MaxPool& m, i64 n, i64 r) {
  const Pool& p = m.pool;
  const float* image = m.in + n * p.h * p.w * p.c;
  const Span rows = p.rows[static_cast<size_t>(r)];
  const i64 top = r * p.window.stride_h - p.window.pad_top;
  for (i64 i = 0; i < p.ow; ++i) {
    const Span columns = p.columns[static_cast<size_t>(i)];
    const i64 left = i * p.window.stride_w - p.window.pad_left;
    const i64 at = ((n * p.oh + r) * p.ow + i) * p.c;
    i64 c = 0;
    for (; c + lanes <= p.c; c += lanes)
      window<true>(m, image, rows, columns, top, left, c, at + c);
    if (c < p.c) window<false>(m, image, rows, columns, top, left, c, at + c);
  }
}

/// One pixel: what comes from the windows whose maximum it was.
template <bool kFull>
HWY_INLINE void pixel(const MaxPool& m, i64 windows, const Span& rows, const Span& columns, i64 iy,
                      i64 ix, i64 channel, float* to) {
  const D d;
  const DI di;
  const Pool& p = m.pool;
  const i64 rest = p.c - channel;
  V sum = hn::Zero(d);
  for (i64 oy = rows.begin; oy < rows.end; ++oy)
    for (i64 ox = columns.begin; ox < columns.end; ++ox) {
      const i64 ky = iy + p.window.pad_top - oy * p.window.stride_h,
                kx = ix + p.window.pad_left - ox * p.window.stride_w;
      const i64 at = (windows + oy * p.ow + ox) * p.c + channel;
      const auto here = hn::Eq(load_index<kFull>(m.index + at, rest),
                               hn::Set(di, static_cast<std::int32_t>(ky * p.window.kernel_w + kx)));
      sum = hn::Add(sum, hn::IfThenElseZero(hn::RebindMask(d, here), load<kFull>(m.in + at, rest)));
    }
  store<kFull>(sum, to, rest);
}

void backward_row(const MaxPool& m, i64 n, i64 r) {
  const Pool& p = m.pool;
  const Span rows = p.rows[static_cast<size_t>(r)];
  float* to = m.out + (n * p.h + r) * p.w * p.c;
  for (i64 i = 0; i < p.w; ++i, to += p.c) {
    const Span columns = p.columns[static_cast<size_t>(i)];
    i64 c = 0;
    for (; c + lanes <= p.c; c += lanes)
      pixel<true>(m, n * p.oh * p.ow, rows, columns, r, i, c, to + c);
    if (c < p.c) pixel<false>(m, n * p.oh * p.ow, rows, columns, r, i, c, to + c);
  }
}

}  // namespace

void maxpool_row(const MaxPool& m, i64 image, i64 row) { forward_row(m, image, row); }
void maxpool_grad_row(const MaxPool& m, i64 image, i64 row) { backward_row(m, image, row); }

}  // namespace goneuron::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace goneuron::cpu::maxpool2d_kernel {
HWY_EXPORT(maxpool_row);
HWY_EXPORT(maxpool_grad_row);

namespace {

void run(const MaxPool& m, i64 begin, i64 end, void*) {
  for_rows(m.pool, begin, end, [&](i64 image, i64 row) { m.row(m, image, row); });
}

Call lower_forward(const BoundNode& bound) {
  MaxPool m{pool_of(bound, bound.in_shape(0), bound.out_shape(), false), bound.input(0),
            bound.output(0), bound.output<std::uint8_t>(1), nullptr};
  choose_target();
  m.row = &HWY_DYNAMIC_DISPATCH(maxpool_row);
  return make_call(std::move(m), run);
}

Call lower_backward(const BoundNode& bound) {
  MaxPool m{pool_of(bound, bound.out_shape(), bound.in_shape(0), true), bound.input(0),
            bound.output(0), static_cast<std::uint8_t*>(bound.in[1]), nullptr};
  choose_target();
  m.row = &HWY_DYNAMIC_DISPATCH(maxpool_grad_row);
  return make_call(std::move(m), run);
}

constexpr KernelDef kernels[] = {{"maxpool2d", nullptr, pool_schemes, lower_forward},
                                 {"maxpool2d_grad", nullptr, pool_schemes, lower_backward}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::maxpool2d_kernel
#endif
