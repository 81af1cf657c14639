#include <algorithm>

#include "backends/cpu/recurrent.h"
#include "backends/cpu/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/lstm_steps.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h comes first
#include <hwy/highway.h>

#include "backends/cpu/recurrent-inl.h"

HWY_BEFORE_NAMESPACE();
namespace goneuron::cpu::HWY_NAMESPACE {
namespace {

constexpr i64 gates = 4;
constexpr i64 most_rows = sums / gates;  // of a register tile

/// One step of a chunk of rows: where it reads and writes. A row of operands is x, then h.
struct Step {
  const LstmForward* pass;
  i64 t;
  const float *w, *bias;  // packed
  i64 k;                  // columns of the operands that are not 0
  const float* operands;  // [rows, pitch]
  float *next, *c;        // h after the step, in the other operands; [rows, c_pitch]
  i64 pitch, c_pitch;
  const StepTiles* tiles;  // which have multiplied, or null
};

/// Rows [row, row + kRows) of the units of one vector.
template <i64 kRows, bool kWhole>
void forward_tile(const Step& step, i64 row, i64 unit) {
  const LstmForward& f = *step.pass;
  const i64 n = f.units;
  const auto here = hn::FirstN(d, static_cast<size_t>(std::min(lanes, n - unit)));
  const auto store = [&](V v, float* x) HWY_ATTR {
    if (kWhole)
      hn::StoreU(v, d, x);
    else
      hn::BlendedStore(v, here, d, x);
  };
  // What the tile writes is fetched while the product is computed.
  for (i64 i = 0; i < kRows; ++i)
    for (i64 k = 0; k < gates; ++k)
      __builtin_prefetch(f.acts + (((row + i) * f.steps + step.t) * gates + k) * n + unit, 1);
  V s[kRows][gates];
#pragma GCC unroll 6
  for (i64 i = 0; i < kRows; ++i)
#pragma GCC unroll 4
    for (i64 k = 0; k < gates; ++k) s[i][k] = hn::Load(d, step.bias + unit * gates + k * lanes);
  if (step.tiles)
    add_sums<gates>(*step.tiles, row, unit, n, s);
  else
    multiply<gates>(step.operands + row * step.pitch, step.pitch,
                    step.w + unit * gates * (f.in + n), step.k, s);
  for (i64 i = 0; i < kRows; ++i) {
    const i64 at = (row + i) * f.steps + step.t, h_at = (row + i) * step.pitch + unit;
    V in = s[i][0], forget = s[i][1], cell = s[i][2], out = s[i][3];
    lstm_gates(in, forget, cell, out);
    float* acts = f.acts + at * gates * n + unit;
    store(in, acts);
    store(forget, acts + n);
    store(cell, acts + 2 * n);
    store(out, acts + 3 * n);
    float* c_at = step.c + (row + i) * step.c_pitch + unit;
    V c = hn::Load(d, c_at), h;
    const bool keep = kept(f, row + i, step.t);
    if (keep) {
      c = hn::MulAdd(forget, c, hn::Mul(in, cell));
      h = hn::Mul(out, gate_tanh(c));
      hn::Store(c, d, c_at);
    } else {
      h = hn::LoadU(d, step.operands + f.in + h_at);
    }
    hn::StoreU(h, d, step.next + h_at);
    if (f.cells) store(c, f.cells + at * n + unit);
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
LstmForward from_row(LstmForward f, i64 row) {
  const i64 state = row * f.units, steps = row * f.steps;
  f.mask = moved(f.mask, steps);
  f.x += steps * f.in;
  f.acts += steps * gates * f.units;
  f.h0 = moved(f.h0, state);
  f.c0 = moved(f.c0, state);
  f.h_last = moved(f.h_last, state);
  f.c_last = moved(f.c_last, state);
  f.y = moved(f.y, steps * f.units);
  f.cells = moved(f.cells, steps * f.units);
  f.operands = moved(f.operands, steps * (f.in + f.units));
  return f;
}

LstmBackward from_row(LstmBackward b, i64 row) {
  const i64 state = row * b.units, steps = row * b.steps;
  b.mask = moved(b.mask, steps);
  b.acts += steps * gates * b.units;
  b.dgates += steps * gates * b.units;
  b.cells += steps * b.units;
  b.c0 = moved(b.c0, state);
  b.dy = moved(b.dy, steps * b.units);
  b.dh_last = moved(b.dh_last, state);
  b.dc_last = moved(b.dc_last, state);
  b.dh0 = moved(b.dh0, state);
  b.dc0 = moved(b.dc0, state);
  return b;
}

/// The gradients of one step's gates, to memory and to `packed` [rows, gates padded(units)].
void backward_row(const LstmBackward& b, i64 row, i64 at, float* dh, float* dc, float* packed) {
  const i64 n = b.units, t = b.time(at), step = row * b.steps + t;
  const bool keep = kept(b, row, t);
  const float* acts = b.acts + step * gates * n;
  float* dgates = b.dgates + step * gates * n;
  const float* before =
      at > 0 ? b.cells + (row * b.steps + b.time(at - 1)) * n : moved(b.c0, row * n);
  const float* dy = keep || !b.zero_masked ? moved(b.dy, step * n) : nullptr;
  const V one = num(1);
  each_vector(n, [&](i64 u, auto here) HWY_ATTR {
    V h = hn::Load(d, dh + u);
    if (dy) h = hn::Add(h, hn::MaskedLoad(here, d, dy + u));
    const V in = hn::MaskedLoad(here, d, acts + u), forget = hn::MaskedLoad(here, d, acts + n + u),
            cell = hn::MaskedLoad(here, d, acts + 2 * n + u),
            out = hn::MaskedLoad(here, d, acts + 3 * n + u);
    V parts[gates] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
    if (keep) {
      const V tc = gate_tanh(hn::MaskedLoad(here, d, b.cells + step * n + u));
      const V c = hn::MulAdd(hn::Mul(h, out), hn::NegMulAdd(tc, tc, one), hn::Load(d, dc + u));
      const V c_before = before ? hn::MaskedLoad(here, d, before + u) : hn::Zero(d);
      parts[0] = hn::Mul(hn::Mul(c, cell), hn::Mul(in, hn::Sub(one, in)));
      parts[1] = hn::Mul(hn::Mul(c, c_before), hn::Mul(forget, hn::Sub(one, forget)));
      parts[2] = hn::Mul(hn::Mul(c, in), hn::NegMulAdd(cell, cell, one));
      parts[3] = hn::Mul(hn::Mul(h, tc), hn::Mul(out, hn::Sub(one, out)));
      hn::Store(hn::Mul(c, forget), d, dc + u);
      h = hn::Zero(d);
    }
    hn::Store(h, d, dh + u);  // what passes by the step
    for (i64 k = 0; k < gates; ++k) {
      hn::BlendedStore(parts[k], here, d, dgates + k * n + u);
      hn::Store(parts[k], d, packed + k * padded(n) + u);
    }
  });
}

}  // namespace

void lstm_forward(const LstmForward& all, i64 begin, i64 end, void* memory) {
  const i64 n = all.units, in = all.in, wide = in + n;
  const i64 pitch = pitch_of(in + padded(n)), c_pitch = pitch_of(padded(n));
  Scratch scratch(memory);
  float* bias = scratch.take(padded(n) * gates);
  float* now = scratch.take(sequence_rows * pitch);
  float* next = scratch.take(sequence_rows * pitch);
  float* c = scratch.take(sequence_rows * c_pitch);
  float* w = nullptr;
  std::optional<StepTiles> tiles;
  if (all.tiles) {
    tiles.emplace(*all.tiles, in, n, gates * n, scratch);
    tiles->pack_x(all.w_ih, gates * n, gates * n, 0);
    tiles->pack_h(all.w, gates * n, gates * n, 0);
  } else {
    w = scratch.take(padded(n) * gates * wide);
    pack_forward(all.w_ih, in, n, gates, w, 0, wide);
    pack_forward(all.w, n, n, gates, w, in, wide);
  }
  pack_forward(all.bias, 1, n, gates, bias, 0, 1);
  for (i64 row = begin; row < end; row += sequence_rows) {
    const i64 rows = std::min(sequence_rows, end - row);
    const LstmForward f = from_row(all, row);
    load_rows(f.h0, n, rows, n, now + in, pitch);
    load_rows(nullptr, 0, rows, padded(n), c, c_pitch);
    if (f.c0) load_rows(f.c0, n, rows, n, c, c_pitch);
    for (i64 at = 0; at < f.steps; ++at) {
      const i64 t = f.time(at), k = at > 0 || f.h0 ? wide : in;
      load_rows(f.x + t * in, f.steps * in, rows, in, now, pitch);
      store_rows(now, pitch, rows, wide, moved(f.operands, t * wide), f.steps * wide);
      if (tiles) tiles->multiply(now, pitch, rows);
      forward_step(
          {&f, t, w, bias, k, now, next + in, c, pitch, c_pitch, tiles ? &*tiles : nullptr}, rows);
      std::swap(now, next);
    }
    store_rows(now + in, pitch, rows, n, f.h_last, n);
    store_rows(c, c_pitch, rows, n, f.c_last, n);
  }
}

void lstm_backward(const LstmBackward& all, i64 begin, i64 end, void* memory) {
  const i64 n = all.units, pitch = pitch_of(padded(n)), wide = pitch_of(gates * padded(n));
  Scratch scratch(memory);
  float* dh = scratch.take(sequence_rows * pitch);
  float* dc = scratch.take(sequence_rows * pitch);
  float* packed = scratch.take(sequence_rows * wide);
  const Backwards product(all, gates, scratch);
  for (i64 row = begin; row < end; row += sequence_rows) {
    const i64 rows = std::min(sequence_rows, end - row);
    const LstmBackward b = from_row(all, row);
    for (float* state : {dh, dc}) load_rows(nullptr, 0, rows, pitch, state, pitch);
    if (b.dh_last) load_rows(b.dh_last, n, rows, n, dh, pitch);
    if (b.dc_last) load_rows(b.dc_last, n, rows, n, dc, pitch);
    for (i64 at = b.steps - 1; at >= 0; --at) {
      for (i64 i = 0; i < rows; ++i)
        backward_row(b, i, at, dh + i * pitch, dc + i * pitch, packed + i * wide);
      if (at == 0 && !b.dh0) break;
      Fetch fetch;
      if (at > 0) {
        const i64 t = b.time(at - 1);
        fetch.all[0] = {b.acts + t * gates * n, b.steps * gates * n, gates * n};
        if (at > 1) fetch.all[1] = {b.cells + b.time(at - 2) * n, b.steps * n, n};
        fetch.all[2] = {moved(b.dy, t * n), b.steps * n, n};
      }
      product(packed, wide, rows, dh, pitch, b.mask != nullptr, fetch);
    }
    store_rows(dh, pitch, rows, n, b.dh0, n);
    store_rows(dc, pitch, rows, n, b.dc0, n);
  }
}

}  // namespace goneuron::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace goneuron::cpu {
HWY_EXPORT(lstm_forward);
HWY_EXPORT(lstm_backward);

SequenceKernel<LstmForward> lstm_forward() {
  choose_target();
  return &HWY_DYNAMIC_DISPATCH(lstm_forward);
}
SequenceKernel<LstmBackward> lstm_backward() {
  choose_target();
  return &HWY_DYNAMIC_DISPATCH(lstm_backward);
}

const RowTiles* sequence_tiles(i64 batch, i64 units) {
  constexpr i64 least_rows = 8, least_units = 32;
  const bool pay = batch >= least_rows && units >= least_units && units % row_tiles_side == 0;
  return pay ? row_tiles() : nullptr;
}

i64 sequence_scratch(i64 in, i64 units, i64 gates) {
  constexpr i64 vector = 16, spare = 48;  // the widest, and what a pitch adds at most
  const i64 wide = round_up(units, vector), parts = 4;
  i64 weights = wide * gates * (std::max(in + units, wide) + 1);
  // Twice the operands, or the gates' gradients; and two states.
  i64 row = 2 * (in + wide) + gates * wide + 2 * wide + 5 * spare;
  if (sequence_tiles(sequence_rows, units)) {  // forwards, or backwards
    const i64 steps = row_tiles_steps(in) + row_tiles_steps(units);
    weights =
        std::max(parts * units * steps, units * row_tiles_steps(gates * units)) + parts * wide;
    row += std::max(steps + parts * units + spare, row_tiles_steps(gates * units));
  }
  return (weights + sequence_rows * row + 8 * vector) * i64{sizeof(float)};
}

}  // namespace goneuron::cpu
#endif
