// silu(gate) * value over the halves of each row, and its gradient.
#include "backends/cpu/kernel.h"
#include "backends/cpu/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/kernels/swiglu.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h comes first
#include <hwy/highway.h>

#include "backends/cpu/vector_math-inl.h"
#include "backends/cpu/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace goneuron::cpu::HWY_NAMESPACE {

/// x [2 n] -> y [n]
void swiglu_row(const float* x, const float*, i64 n, float* y) {
  for (i64 j = 0; j < n; j += lanes) {
    const auto here = hn::FirstN(d, static_cast<size_t>(std::min(lanes, n - j)));
    const V gate = hn::MaskedLoad(here, d, x + j), value = hn::MaskedLoad(here, d, x + n + j);
    hn::BlendedStore(hn::Mul(hn::Mul(gate, sigmoid(gate)), value), here, d, y + j);
  }
}

/// x [2 n], dy [n] -> dx [2 n]
void swiglu_grad_row(const float* x, const float* dy, i64 n, float* dx) {
  for (i64 j = 0; j < n; j += lanes) {
    const auto here = hn::FirstN(d, static_cast<size_t>(std::min(lanes, n - j)));
    const V gate = hn::MaskedLoad(here, d, x + j), value = hn::MaskedLoad(here, d, x + n + j);
    const V grad = hn::MaskedLoad(here, d, dy + j), s = sigmoid(gate);
    const V slope = hn::Mul(s, hn::MulAdd(gate, hn::Sub(num(1), s), num(1)));
    hn::BlendedStore(hn::Mul(hn::Mul(grad, value), slope), here, d, dx + j);
    hn::BlendedStore(hn::Mul(grad, hn::Mul(gate, s)), here, d, dx + n + j);
  }
}

}  // namespace goneuron::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace goneuron::cpu::swiglu_kernel {
HWY_EXPORT(swiglu_row);
HWY_EXPORT(swiglu_grad_row);

namespace {

struct Args {
  const float *x, *dy;
  float* out;
  i64 units, rows, n, out_row, tiles;  // rows of a unit; the last axis of y; of the output
  void (*row)(const float*, const float*, i64, float*);
};

void run(const Args& a, i64 begin, i64 end, void*) {
  const i64 from = tile_begin(a.units, a.tiles, begin) * a.rows,
            to = tile_begin(a.units, a.tiles, end) * a.rows;
  for (i64 i = from; i < to; ++i)
    a.row(a.x + 2 * i * a.n, a.dy ? a.dy + i * a.n : nullptr, a.n, a.out + i * a.out_row);
}

Call lower(const BoundNode& bound) {
  const Shape &x = bound.in_shape(0), &out = bound.out_shape();
  const bool grad = bound.node.inputs.size() > 1;
  const i64 units = x.rank() > 1 ? x[0] : 1;
  choose_target();
  return make_call<Args>(
      {bound.input(0), bound.input(1), bound.output(), units, rows_of(x) / std::max<i64>(units, 1),
       columns_of(x) / 2, columns_of(out), bound.scheme.tiles,
       grad ? &HWY_DYNAMIC_DISPATCH(swiglu_grad_row) : &HWY_DYNAMIC_DISPATCH(swiglu_row)},
      run);
}

std::vector<Scheme> schemes(const Graph& graph, const Node& node) {
  std::vector<Scheme> all = {single_tile(node)};
  const Shape& x = graph.in_shape(node, 0);
  for (const i64 tiles : tile_counts(graph))
    if (x.rank() > 1 && x[0] >= tiles && x.elements() / tiles >= 256)
      all.push_back(by_rows(graph, node, tiles, ~0U));
  return all;
}

constexpr KernelDef kernels[] = {{"swiglu", nullptr, schemes, lower},
                                 {"swiglu_grad", nullptr, schemes, lower}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::swiglu_kernel
#endif
