// Average pooling and its gradient, which are one loop: the sum of what covers an output, times a
// constant.
#include "backends/cpu/pool.h"
#include "backends/cpu/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/kernels/avgpool2d.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h comes first
#include <hwy/highway.h>

#include "backends/cpu/vectors-inl.h"

#ifndef GONEURON_AVGPOOL2D_ARGS
#define GONEURON_AVGPOOL2D_ARGS
namespace goneuron::cpu {

struct AvgPool {
  Pool pool;
  const float* in;
  float* out;
  i64 in_h, in_w;
  float share;
  void (*row)(const AvgPool&, i64 image, i64 row);
};

}  // namespace goneuron::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace goneuron::cpu::HWY_NAMESPACE {
namespace {

template <bool kFull>
HWY_INLINE void mean(const AvgPool& a, const float* image, const Span& rows, const Span& columns,
                     i64 channel, float* to) {
  const D d;
  const i64 c = a.pool.c;
  const auto mask = hn::FirstN(d, static_cast<size_t>(std::min(lanes, c - channel)));
  V sum = hn::Zero(d);
  for (i64 y = rows.begin; y < rows.end; ++y)
    for (i64 x = columns.begin; x < columns.end; ++x) {
      const float* from = image + (y * a.in_w + x) * c + channel;
      sum = hn::Add(sum, kFull ? hn::LoadU(d, from) : hn::MaskedLoad(mask, d, from));
    }
  sum = hn::Mul(sum, hn::Set(d, a.share));
  if (kFull)
    hn::StoreU(sum, d, to);
  else
    hn::BlendedStore(sum, mask, d, to);
}

}  // namespace

void avgpool_row(const AvgPool& a, i64 n, i64 r) {
  const Pool& p = a.pool;
  const float* image = a.in + n * a.in_h * a.in_w * p.c;
  const auto height = static_cast<i64>(p.rows.size()), width = static_cast<i64>(p.columns.size());
  const Span rows = p.rows[static_cast<size_t>(r)];
  float* to = a.out + (n * height + r) * width * p.c;
  for (i64 i = 0; i < width; ++i, to += p.c) {
    const Span columns = p.columns[static_cast<size_t>(i)];
    i64 c = 0;
    for (; c + lanes <= p.c; c += lanes) mean<true>(a, image, rows, columns, c, to + c);
    if (c < p.c) mean<false>(a, image, rows, columns, c, to + c);
  }
}

}  // namespace goneuron::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace goneuron::cpu::avgpool2d_kernel {
HWY_EXPORT(avgpool_row);

namespace {

void run(const AvgPool& a, i64 begin, i64 end, void*) {
  for_rows(a.pool, begin, end, [&](i64 image, i64 row) { a.row(a, image, row); });
}

Call lower(const BoundNode& bound) {
  const bool back = bound.node.op->shape_only != 0;
  const Shape &in = bound.in_shape(0), &out = bound.out_shape();
  AvgPool a{pool_of(bound, back ? out : in, back ? in : out, back),
            bound.input(0),
            bound.output(),
            in[1],
            in[2],
            0,
            nullptr};
  a.share =
      1 / (static_cast<float>(a.pool.window.kernel_h) * static_cast<float>(a.pool.window.kernel_w));
  choose_target();
  a.row = &HWY_DYNAMIC_DISPATCH(avgpool_row);
  return make_call(std::move(a), run);
}

constexpr KernelDef kernels[] = {{"avgpool2d", nullptr, pool_schemes, lower},
                                 {"avgpool2d_grad", nullptr, pool_schemes, lower}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::avgpool2d_kernel
#endif
