// Philox on vectors: the uniform numbers of lanes groups at a time, those that core/rng.h gives one
// by one. Shared by the kernels with dropout; included once for each instruction set.
#if defined(GONEURON_PHILOX_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef GONEURON_PHILOX_INL
#undef GONEURON_PHILOX_INL
#else
#define GONEURON_PHILOX_INL
#endif

#include "backends/cpu/vectors-inl.h"
#include "core/rng.h"
#include "goneuron/shape.h"

HWY_BEFORE_NAMESPACE();
namespace goneuron::cpu::HWY_NAMESPACE {
namespace philox_detail {
using DU = hn::Rebind<std::uint32_t, D>;
using VU = hn::Vec<DU>;

/// The high and low halves of 64-bit products.
#if HWY_TARGET != HWY_SCALAR
HWY_INLINE void multiply(VU a, std::uint32_t by, VU& high, VU& low) {
  const DU du;
  const hn::Repartition<std::uint64_t, DU> d64;
  const VU b = hn::Set(du, by);
  const auto even = hn::MulEven(a, b);
  const auto odd = hn::MulEven(hn::BitCast(du, hn::ShiftRight<32>(hn::BitCast(d64, a))), b);
  high = hn::OddEven(hn::BitCast(du, odd), hn::BitCast(du, hn::ShiftRight<32>(even)));
  low = hn::OddEven(hn::BitCast(du, hn::ShiftLeft<32>(odd)), hn::BitCast(du, even));
}
#endif
}  // namespace philox_detail

/// Numbers in [0, 1) that philox_units makes at once: those of `lanes` groups of four.
constexpr i64 philox_block = 4 * HWY_LANES(float);

/// The numbers of groups [group, group + lanes); `group` is a multiple of lanes, so that the low
/// words do not wrap inside.
HWY_INLINE void philox_units(std::uint64_t group, std::uint32_t stream, std::uint32_t step,
                             std::uint64_t seed, float* to) {
#if HWY_TARGET == HWY_SCALAR
  const Philox4 words = philox_at(group, stream, step, seed);
  for (size_t i = 0; i < 4; ++i) to[i] = to_unit(words[i]);
#else
  using namespace philox_detail;  // NOLINT: the names of this file
  const D d;
  const DU du;
  const hn::RebindToSigned<DU> di;
  VU c0 = hn::Add(hn::Set(du, static_cast<std::uint32_t>(group)), hn::Iota(du, 0));
  VU c1 = hn::Set(du, static_cast<std::uint32_t>(group >> 32));
  VU c2 = hn::Set(du, stream);
  VU c3 = hn::Set(du, step);
  auto k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    VU high0, low0, high1, low1;
    multiply(c0, 0xD2511F53U, high0, low0);
    multiply(c2, 0xCD9E8D57U, high1, low1);
    c0 = hn::Xor(hn::Xor(high1, c1), hn::Set(du, k0));
    c1 = low1;
    c2 = hn::Xor(hn::Xor(high0, c3), hn::Set(du, k1));
    c3 = low0;
    k0 += 0x9E3779B9U;
    k1 += 0xBB67AE85U;
  }
  const auto unit = [&](VU word) HWY_ATTR {
    return hn::Mul(hn::ConvertTo(d, hn::BitCast(di, hn::ShiftRight<8>(word))),
                   hn::Set(d, 0x1p-24F));
  };
  hn::StoreInterleaved4(unit(c0), unit(c1), unit(c2), unit(c3), d, to);
#endif
}

}  // namespace goneuron::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
