// Dropout, and its gradient, which is the same loop: Philox words for a vector of counters at a
// time, the numbers that the scalar generator gives.
#include <algorithm>

#include "backends/cpu/kernel.h"
#include "backends/cpu/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/kernels/dropout.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h comes first
#include <hwy/highway.h>

#include "backends/cpu/philox-inl.h"
#include "backends/cpu/vectors-inl.h"

#ifndef GONEURON_DROPOUT_ARGS
#define GONEURON_DROPOUT_ARGS
namespace goneuron::cpu {

struct Dropout {
  const float* x;
  float* y;
  float rate, scale;
  std::uint32_t stream;
  i64 per_sample;
  const StepScalars* scalars;
  Pieces pieces;
  /// Elements [from, from + count) of the batch.
  void (*piece)(const Dropout&, i64 from, i64 count);
};

}  // namespace goneuron::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace goneuron::cpu::HWY_NAMESPACE {
namespace {

constexpr i64 block = philox_block;

/// y = x * scale where units are not below the rate, else 0; the last vector in part.
void select(const Dropout& p, const float* units, const float* x, float* y, i64 count) {
  const D d;
  const V rate = hn::Set(d, p.rate), scale = hn::Set(d, p.scale);
  for (i64 i = 0; i < count; i += lanes) {
    const auto mask = hn::FirstN(d, static_cast<size_t>(std::min(lanes, count - i)));
    const V value = hn::Mul(hn::MaskedLoad(mask, d, x + i), scale);
    const auto kept = hn::Ge(hn::LoadU(d, units + i), rate);
    hn::BlendedStore(hn::IfThenElseZero(kept, value), mask, d, y + i);
  }
}

}  // namespace

void dropout_piece(const Dropout& p, i64 from, i64 count) {
  HWY_ALIGN float units[block + lanes] = {};
  const i64 first = p.scalars->first_sample * p.per_sample;  // the batch's place in a larger one
  for (i64 i = from; i < from + count;) {
    const i64 skip = (first + i) % block, n = std::min(block - skip, from + count - i);
    philox_units(static_cast<std::uint64_t>((first + i) / block * lanes), p.stream,
                 static_cast<std::uint32_t>(p.scalars->counter), p.scalars->seed, units);
    select(p, units + skip, p.x + i, p.y + i, n);
    i += n;
  }
}

}  // namespace goneuron::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace goneuron::cpu::dropout_kernel {
HWY_EXPORT(dropout_piece);

namespace {

void run(const Dropout& p, i64 begin, i64 end, void*) {
  p.pieces.each(begin, end, [&](i64 from, i64 count) { p.piece(p, from, count); });
}

Call lower(const BoundNode& bound) {
  const Shape& shape = bound.out_shape();
  const double rate = bound.node.attrs.real("rate");
  Dropout p{bound.input(0),
            bound.output(),
            static_cast<float>(rate),
            static_cast<float>(1 / (1 - rate)),
            static_cast<std::uint32_t>(bound.node.attrs.integer("stream")),
            shape[0] == 0 ? 0 : shape.elements() / shape[0],
            bound.scalars,
            pieces_of(shape, std::string_view(bound.scheme.name) == "columns" ? 1 : 0,
                      bound.scheme.tiles),
            nullptr};
  choose_target();
  p.piece = &HWY_DYNAMIC_DISPATCH(dropout_piece);
  return make_call(p, run);
}

constexpr KernelDef kernels[] = {{"dropout", nullptr, elementwise_schemes, lower},
                                 {"dropout_grad", nullptr, elementwise_schemes, lower}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::dropout_kernel
#endif
