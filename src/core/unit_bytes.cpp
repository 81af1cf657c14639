#include "core/unit_bytes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/unit_bytes.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h comes first
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace goneuron::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#include "core/unit_bytes-inl.h"

void units(float* HWY_RESTRICT out, const std::uint8_t* HWY_RESTRICT from, i64 count, i64 runs,
           i64 pitch) {
  const hn::ScalableTag<float> d;
  constexpr i64 lanes = HWY_LANES(float);
  const auto convert = [&](i64 i) { hn::StoreU(load_units(d, from + i), d, out + i); };
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
