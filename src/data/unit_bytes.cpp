#include "data/unit_bytes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "data/unit_bytes.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h comes first
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace goneuron::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void units(float* HWY_RESTRICT out, const std::uint8_t* HWY_RESTRICT from, i64 count, i64 runs,
           i64 pitch) {
  const hn::ScalableTag<float> d;
  const hn::Rebind<std::int32_t, decltype(d)> di;
  const hn::Rebind<std::uint8_t, decltype(d)> d8;
  constexpr i64 lanes = HWY_LANES(float);
  const auto high = hn::Set(d, unit_high), low = hn::Set(d, unit_low);
  const auto convert = [&](i64 i) {
    const auto v = hn::ConvertTo(d, hn::PromoteTo(di, hn::LoadU(d8, from + i)));
    hn::StoreU(hn::Add(hn::Mul(v, high), hn::Mul(v, low)), d, out + i);
  };
  for (i64 run = 0; run < runs; ++run, from += count, out += pitch) {
    i64 i = 0;
    for (; i + lanes <= count; i += lanes) convert(i);
    if (i < count && count >= lanes) {
      convert(count - lanes);  // some of them once more
      continue;
    }
    for (; i < count; ++i) out[i] = unit_of(from[i]);
  }
}

}  // namespace goneuron::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace goneuron {
HWY_EXPORT(units);

void units_of(float* out, const std::uint8_t* from, i64 count, i64 runs, i64 pitch) {
  HWY_DYNAMIC_DISPATCH(units)(out, from, count, runs, pitch);
}

}  // namespace goneuron
#endif
