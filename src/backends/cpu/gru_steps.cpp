#include "backends/cpu/recurrent.h"
#include "backends/cpu/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/gru_steps.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h comes first
#include <hwy/highway.h>

#include "backends/cpu/recurrent-inl.h"

HWY_BEFORE_NAMESPACE();
namespace goneuron::cpu::HWY_NAMESPACE {
namespace {

constexpr i64 gates = 3;
// Of a register tile: reset, update, and the two parts of the new gate.
constexpr i64 parts = 4, most_rows = sums / parts;

/// One step of a chunk of rows: where it reads and writes. A row of operands is x, then h.
struct Step {
  const GruForward* pass;
  i64 t;
  const float *w, *bias;  // packed
  i64 k;                  // columns of the operands that are not 0
  const float* operands;  // [rows, pitch]
  float* next;            // h after the step, in the other operands
  i64 pitch;
  const StepTiles* tiles;  // which have multiplied, or null
};

/// Rows [row, row + kRows) of the units of one vector.
template <i64 kRows, bool kWhole>
void forward_tile(const Step& step, i64 row, i64 unit) {
  const GruForward& f = *step.pass;
  const i64 n = f.units;
  const auto here = hn::FirstN(d, static_cast<size_t>(std::min(lanes, n - unit)));
  const auto store = [&](V v, float* x) HWY_ATTR {
    if (kWhole)
      hn::StoreU(v, d, x);
    else
      hn::BlendedStore(v, here, d, x);
  };
  V s[kRows][parts];
#pragma GCC unroll 6
  for (i64 i = 0; i < kRows; ++i)
#pragma GCC unroll 4
    for (i64 k = 0; k < parts; ++k) {
      s[i][k] = hn::Load(d, step.bias + unit * parts + k * lanes);
      if (k < gates)
        __builtin_prefetch(f.acts + (((row + i) * f.steps + step.t) * gates + k) * n + unit, 1);
    }
  if (step.tiles) {
    add_sums<parts>(*step.tiles, row, unit, n, s);
  } else {
    const float *x = step.operands + row * step.pitch, *w = step.w + unit * gates * (f.in + n);
    multiply<gates>(x, step.pitch, w, f.in, s);
    multiply<gates, gates>(x + f.in, step.pitch, w + f.in * gates * lanes, step.k - f.in, s);
  }
  for (i64 i = 0; i < kRows; ++i) {
    const i64 at = (row + i) * f.steps + step.t, h_at = (row + i) * step.pitch + unit;
    V reset = s[i][0], update = s[i][1];
    two_sigmoids(reset, update);
    const V fresh = gate_tanh(hn::MulAdd(reset, s[i][3], s[i][2]));
    float* acts = f.acts + at * gates * n + unit;
    store(reset, acts);
    store(update, acts + n);
    store(fresh, acts + 2 * n);
    if (f.products) store(s[i][3], f.products + at * n + unit);
    V h = hn::LoadU(d, step.operands + f.in + h_at);
    const bool keep = kept(f, row + i, step.t);
    if (keep) h = hn::MulAdd(update, hn::Sub(h, fresh), fresh);
    hn::StoreU(h, d, step.next + h_at);
    if (f.y) store(keep || !f.zero_masked ? h : hn::Zero(d), f.y + at * n + unit);
  }
}
using ForwardTile = void (*)(const Step&, i64, i64);

template <bool kWhole, size_t... kHeight>
ForwardTile forward_tile_of(i64 height, std::index_sequence<kHeight...>) {
  static constexpr ForwardTile table[] = {forward_tile<static_cast<i64>(kHeight) + 1, kWhole>...};
  return table[height - 1];
}

void forward_step(const Step& step, i64 rows) {
  constexpr auto heights = std::make_index_sequence<static_cast<size_t>(most_rows)>();
  const i64 units = step.pass->units, height = even_height(rows, most_rows);
  for (i64 unit = 0; unit < units; unit += lanes)
    for (i64 row = 0; row < rows; row += height) {
      const i64 count = std::min(height, rows - row);
      (unit + lanes <= units ? forward_tile_of<true>(count, heights)
                             : forward_tile_of<false>(count, heights))(step, row, unit);
    }
}

/// The pass of rows from `row` on.
GruForward from_row(GruForward f, i64 row) {
  const i64 state = row * f.units, steps = row * f.steps;
  f.mask = moved(f.mask, steps);
  f.x += steps * f.in;
  f.acts += steps * gates * f.units;
  f.h0 = moved(f.h0, state);
  f.h_last = moved(f.h_last, state);
  f.y = moved(f.y, steps * f.units);
  f.products = moved(f.products, steps * f.units);
  f.h_before = moved(f.h_before, steps * f.units);
  return f;
}

GruBackward from_row(GruBackward b, i64 row) {
  const i64 state = row * b.units, steps = row * b.steps;
  b.mask = moved(b.mask, steps);
  b.acts += steps * gates * b.units;
  b.dgates += steps * gates * b.units;
  b.dproducts += steps * gates * b.units;
  b.products += steps * b.units;
  b.h_before += steps * b.units;
  b.dy = moved(b.dy, steps * b.units);
  b.dh_last = moved(b.dh_last, state);
  b.dh0 = moved(b.dh0, state);
  return b;
}

/// The gradients of one step's gates and products, the latter also to `packed` [rows, gates
/// padded(units)].
void backward_row(const GruBackward& b, i64 row, i64 at, float* dh, float* packed) {
  const i64 n = b.units, t = b.time(at), step = row * b.steps + t;
  const bool keep = kept(b, row, t);
  const float* acts = b.acts + step * gates * n;
  float *dgates = b.dgates + step * gates * n, *dproducts = b.dproducts + step * gates * n;
  const float* dy = keep || !b.zero_masked ? moved(b.dy, step * n) : nullptr;
  const V one = num(1);
  each_vector(n, [&](i64 u, auto here) HWY_ATTR {
    const auto load = [&](const float* x) HWY_ATTR { return hn::MaskedLoad(here, d, x + u); };
    V h = hn::Load(d, dh + u);
    if (dy) h = hn::Add(h, load(dy));
    const V reset = load(acts), update = load(acts + n), fresh = load(acts + 2 * n);
    V d_gates[gates] = {hn::Zero(d), hn::Zero(d), hn::Zero(d)};
    if (keep) {
      d_gates[2] = hn::Mul(hn::Mul(h, hn::Sub(one, update)), hn::NegMulAdd(fresh, fresh, one));
      d_gates[0] = hn::Mul(hn::Mul(d_gates[2], load(b.products + step * n)),
                           hn::Mul(reset, hn::Sub(one, reset)));
      d_gates[1] = hn::Mul(hn::Mul(h, hn::Sub(load(b.h_before + step * n), fresh)),
                           hn::Mul(update, hn::Sub(one, update)));
      h = hn::Mul(h, update);
    }
    hn::Store(h, d, dh + u);  // what passes by the product
    for (i64 k = 0; k < gates; ++k) {
      const V through = k == 2 ? hn::Mul(d_gates[k], reset) : d_gates[k];
      hn::BlendedStore(d_gates[k], here, d, dgates + k * n + u);
      hn::BlendedStore(through, here, d, dproducts + k * n + u);
      hn::Store(through, d, packed + k * padded(n) + u);
    }
  });
}

}  // namespace

void gru_forward(const GruForward& all, i64 begin, i64 end, void* memory) {
  const i64 n = all.units, in = all.in, wide = in + n, pitch = pitch_of(in + padded(n));
  Scratch scratch(memory);
  float* bias = scratch.take(padded(n) * parts);
  float* now = scratch.take(sequence_rows * pitch);
  float* next = scratch.take(sequence_rows * pitch);
  float* w = nullptr;
  std::optional<StepTiles> tiles;
  if (all.tiles) {
    tiles.emplace(*all.tiles, in, n, parts * n, scratch);
    tiles->zero();  // the parts of the new gate see one operand each
    tiles->pack_x(all.w_ih, gates * n, gates * n, 0);
    tiles->pack_h(all.w, gates * n, 2 * n, 0);
    tiles->pack_h(all.w + 2 * n, gates * n, n, 3 * n);
  } else {
    w = scratch.take(padded(n) * gates * wide);
    pack_forward(all.w_ih, in, n, gates, w, 0, wide);
    pack_forward(all.w, n, n, gates, w, in, wide);
  }
  for (i64 unit = 0; unit < n; unit += lanes)
    for (i64 k = 0; k < parts; ++k) {
      const auto here = hn::FirstN(d, static_cast<size_t>(std::min(lanes, n - unit)));
      const float* from = k < gates ? all.bias + k * n : all.bias_hn;
      hn::Store(hn::MaskedLoad(here, d, from + unit), d, bias + unit * parts + k * lanes);
    }
  for (i64 row = begin; row < end; row += sequence_rows) {
    const i64 rows = std::min(sequence_rows, end - row);
    const GruForward f = from_row(all, row);
    load_rows(nullptr, 0, rows, padded(n), now + in, pitch);
    if (f.h0) load_rows(f.h0, n, rows, n, now + in, pitch);
    for (i64 at = 0; at < f.steps; ++at) {
      const i64 t = f.time(at), k = at > 0 || f.h0 ? wide : in;
      load_rows(f.x + t * in, f.steps * in, rows, in, now, pitch);
      store_rows(now + in, pitch, rows, n, moved(f.h_before, t * n), f.steps * n);
      if (tiles) tiles->multiply(now, pitch, rows);
      forward_step({&f, t, w, bias, k, now, next + in, pitch, tiles ? &*tiles : nullptr}, rows);
      std::swap(now, next);
    }
    store_rows(now + in, pitch, rows, n, f.h_last, n);
  }
}

void gru_backward(const GruBackward& all, i64 begin, i64 end, void* memory) {
  const i64 n = all.units, pitch = pitch_of(padded(n)), wide = pitch_of(gates * padded(n));
  Scratch scratch(memory);
  float* dh = scratch.take(sequence_rows * pitch);
  float* packed = scratch.take(sequence_rows * wide);
  const Backwards product(all, gates, scratch);
  for (i64 row = begin; row < end; row += sequence_rows) {
    const i64 rows = std::min(sequence_rows, end - row);
    const GruBackward b = from_row(all, row);
    load_rows(nullptr, 0, rows, pitch, dh, pitch);
    if (b.dh_last) load_rows(b.dh_last, n, rows, n, dh, pitch);
    for (i64 at = b.steps - 1; at >= 0; --at) {
      for (i64 i = 0; i < rows; ++i) backward_row(b, i, at, dh + i * pitch, packed + i * wide);
      if (at == 0 && !b.dh0) break;
      Fetch fetch;
      if (at > 0) {
        const i64 t = b.time(at - 1);
        fetch.all[0] = {b.acts + t * gates * n, b.steps * gates * n, gates * n};
        fetch.all[1] = {b.products + t * n, b.steps * n, n};
        fetch.all[2] = {b.h_before + t * n, b.steps * n, n};
      }
      product(packed, wide, rows, dh, pitch, true, fetch);
    }
    store_rows(dh, pitch, rows, n, b.dh0, n);
  }
}

}  // namespace goneuron::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace goneuron::cpu {
HWY_EXPORT(gru_forward);
HWY_EXPORT(gru_backward);

SequenceKernel<GruForward> gru_forward() {
  choose_target();
  return &HWY_DYNAMIC_DISPATCH(gru_forward);
}
SequenceKernel<GruBackward> gru_backward() {
  choose_target();
  return &HWY_DYNAMIC_DISPATCH(gru_backward);
}

}  // namespace goneuron::cpu
#endif
