#include "backends/cpu/gradient_rows.h"

#include <algorithm>

#include "backends/cpu/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/gradient_rows.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h comes first
#include <hwy/highway.h>

#include "backends/cpu/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace goneuron::cpu::HWY_NAMESPACE {

constexpr i64 block = 1024;  // floats whose squares are added in f32

double squares(const float* x, i64 n) {
  double total = 0;
  for (i64 at = 0; at < n; at += block) {
    const i64 end = std::min(n, at + block);
    V a = hn::Zero(d), b = a;
    i64 i = at;
    for (; i + 2 * lanes <= end; i += 2 * lanes) {
      const V u = hn::LoadU(d, x + i), v = hn::LoadU(d, x + i + lanes);
      a = hn::MulAdd(u, u, a);
      b = hn::MulAdd(v, v, b);
    }
    HWY_ALIGN float part[lanes];
    hn::Store(hn::Add(a, b), d, part);
    float sum = 0;
    for (const float p : part) sum += p;
    for (; i < end; ++i) sum += x[i] * x[i];
    total += double{sum};
  }
  return total;
}

void accumulate(float* sum, const float* g, i64 n, float share, bool adds) {
  const V s = hn::Set(d, share);
  i64 i = 0;
  for (; i + lanes <= n; i += lanes) {
    const V part = hn::Mul(s, hn::LoadU(d, g + i));
    hn::StoreU(adds ? hn::Add(hn::LoadU(d, sum + i), part) : part, d, sum + i);
  }
  for (; i < n; ++i) sum[i] = adds ? sum[i] + share * g[i] : share * g[i];
}

// Multiplied and added apart: the elements beyond the last vector must round as the others do.
void ema(float* average, const float* weight, i64 n, float share) {
  const V s = hn::Set(d, share);
  i64 i = 0;
  for (; i + lanes <= n; i += lanes) {
    const V a = hn::LoadU(d, average + i);
    hn::StoreU(hn::Add(a, hn::Mul(s, hn::Sub(hn::LoadU(d, weight + i), a))), d, average + i);
  }
  for (; i < n; ++i) average[i] += share * (weight[i] - average[i]);
}

}  // namespace goneuron::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace goneuron::cpu {
namespace {
HWY_EXPORT(squares);
HWY_EXPORT(accumulate);
HWY_EXPORT(ema);
}  // namespace

SquaresRow squares_row() {
  choose_target();
  return &HWY_DYNAMIC_DISPATCH(squares);
}
AccumulateRow accumulate_row() {
  choose_target();
  return &HWY_DYNAMIC_DISPATCH(accumulate);
}
EmaRow ema_row() {
  choose_target();
  return &HWY_DYNAMIC_DISPATCH(ema);
}

}  // namespace goneuron::cpu
#endif
