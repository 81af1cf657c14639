// Scores of a block of queries with a block of keys at a time; they are normalised as they grow
// (Milakov & Gimelshein 2018) and made again for the gradient (Dao et al. 2022). Scores lie keys
// first, so that a vector is one key's of several queries: maxima, sums and masks then never cross
// the lanes of a vector, and no product needs more than its queries turned round.
#include "backends/cpu/attention_loops.h"

#include <limits>

#include "backends/cpu/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/attention_loops.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h comes first
#include <hwy/highway.h>

#include "backends/cpu/attention_tiles-inl.h"
#include "backends/cpu/philox-inl.h"
#include "backends/cpu/vector_math-inl.h"

#ifndef GONEURON_ATTENTION_BLOCKS
#define GONEURON_ATTENTION_BLOCKS
namespace goneuron::cpu {
constexpr i64 key_block = 128;  // with a block of queries: its scores stay in the first-level cache
}  // namespace goneuron::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace goneuron::cpu::HWY_NAMESPACE {
namespace {
using namespace attention_detail;  // NOLINT: the names of this file

constexpr i64 query_block = 2 * lanes;
constexpr float lowest = -std::numeric_limits<float>::infinity();
using DI = hn::RebindToSigned<D>;

struct Span {
  i64 from, to;
};
/// Keys of a block that the same vectors of queries see.
struct Piece {
  Span keys;
  i64 first, vectors;
};

/// What a worker needs for one key head; memory is taken from its scratch. Operands are made by
/// functions whose names say where pairs of them lie, when there are any: along a row or across
/// rows.
struct Work {
  const AttentionLoops& a;
  const AttentionSizes& s;
  const AttentionPairs* pairs;
  i64 batch, head, width;  // width: dim in whole vectors
  i64 span;                // of the depth, in a word
  i64 row_words;           // of an operand along a row
  float* at;
  float *k_along, *scores, *q_turned, *units, *numbers;
  V scale;
  // Of the block of queries at hand: which they are, and, in the lanes of a vector, the keys that
  // each sees, the largest score (or the log-sum-exp) and the sum (or the mean gradient).
  i64 member = 0, i0 = 0, rows = 0;
  std::int32_t first_keys[query_block], end_keys[query_block];
  float top[query_block], total[query_block];

  Work(const AttentionLoops& loops, i64 b, i64 h, void* scratch)
      : a(loops),
        s(loops.sizes),
        pairs(loops.bf16 && lanes == 16 ? attention_pairs() : nullptr),
        batch(b),
        head(h),
        width(round_up(s.dim, lanes)),
        span(pairs ? 2 : 1),
        row_words(width / span),
        at(static_cast<float*>(scratch)),
        scale(num(static_cast<float>(s.scale))) {
    k_along = take(round_up(s.keys, span) * row_words);
    scores = take(key_block * query_block);
    q_turned = take(s.dim * query_block);
    const bool random = s.dropout > 0;
    units = take(random ? query_block * units_row() : 0);
    numbers = take(random ? key_block * query_block : 0);
    along(key(0), k_along);
  }
  /// The next head lies beside this one, in pieces that the processor does not guess.
  void prefetch_next(const float* rows_of_head, i64 row, i64 n) const {
    for (i64 i = 0; i < n; ++i, rows_of_head += row)
      for (i64 p = 0; p < s.dim; p += 16) __builtin_prefetch(rows_of_head + s.dim + p, 0, 2);
  }
  float* take(i64 count) {
    float* here = at;
    at += round_up(count, 16);
    return here;
  }

  /// All keys, or values.
  void along(const float* from, float* to) const {
    prefetch_next(from, s.kv_row(), s.keys);
    if (!pairs) return copy_rows(from, s.kv_row(), s.keys, s.keys, s.dim, width, to);
    pairs->neighbours(from, s.kv_row(), s.keys, s.dim, to, row_words);
    std::fill(to + s.keys * row_words, to + round_up(s.keys, span) * row_words, 0.0F);
  }
  /// n rows, up to `padded`.
  void across(const float* from, i64 row, i64 n, i64 padded, i64 depth, float* to) const {
    if (pairs) {
      pairs->rows(from, row, n, depth, to, width);
      const i64 done = ceil_div(n, 2);
      std::fill_n(to + done * width, (ceil_div(padded, 2) - done) * width, 0.0F);
    } else {
      copy_rows(from, row, n, padded, depth, width, to);
    }
  }
  /// A block of queries, turned round: [dim, query_block].
  void turned(const float* from, i64 row, float* to) const {
    prefetch_next(from, row, rows);
    if (pairs)
      pairs->turned(from, row, rows, s.dim, to);
    else
      transpose(from, row, rows, s.dim, to, query_block, query_block);
  }
  i64 steps(i64 depth) const { return ceil_div(depth, span); }
  void multiply(const AttentionProduct& g) const { pairs ? pairs->product(g) : product(g); }

  const float* key(i64 j) const {
    return a.kv + (batch * s.keys + j) * s.kv_row() + s.k_at() + head * s.dim;
  }
  const float* value(i64 j) const { return key(j) + s.v_at() - s.k_at(); }
  i64 q_head() const { return head * s.group() + member; }
  i64 query_at() const { return (batch * s.queries + i0) * s.q_row() + q_head() * s.dim; }
  i64 out_at() const { return (batch * s.queries + i0) * s.out_row() + q_head() * s.dim; }
  i64 row_at() const { return (batch * s.heads + q_head()) * s.queries + i0; }

  /// Calls f() for every block of queries.
  template <class F>
  void for_blocks(const F& f) {
    for (member = 0; member < s.group(); ++member)
      for (i0 = 0; i0 < s.queries; i0 += query_block) {
        rows = std::min(query_block, s.queries - i0);
        for (i64 r = 0; r < query_block; ++r) {
          first_keys[r] = static_cast<std::int32_t>(s.first_key(i0 + std::min(r, rows - 1)));
          end_keys[r] = static_cast<std::int32_t>(s.end_key(i0 + std::min(r, rows - 1)));
        }
        f();
      }
  }

  /// Keys that any query of a vector sees, whole words of them.
  Span keys_of(i64 vector) const {
    const i64 from = vector * lanes;
    if (from >= rows) return {0, 0};
    return {first_keys[from] / span * span, round_up(end_keys[from + lanes - 1], span)};
  }
  Span in_block(i64 vector, i64 k0) const {
    const Span all = keys_of(vector);
    return {std::max(k0, all.from), std::min(k0 + key_block, all.to)};
  }
  /// Calls f(k0) for blocks of keys.
  template <class F>
  void for_key_blocks(const F& f) const {
    const Span first = keys_of(0), second = keys_of(1);
    const i64 to = std::max(first.to, second.to);
    for (i64 k0 = first.from; k0 < to; k0 += key_block) f(k0);
  }
  /// Calls f(piece) for the parts of a block of keys.
  template <class F>
  void for_pieces(i64 k0, const F& f) const {
    const Span x = in_block(0, k0), y = in_block(1, k0);
    const auto call = [&](i64 from, i64 to, i64 first, i64 vectors) {
      if (from < to) f(Piece{{from, to}, first, vectors});
    };
    if (y.from >= y.to) return call(x.from, x.to, 0, 1);
    call(x.from, std::min(x.to, y.from), 0, 1);
    call(std::max(x.from, y.from), std::min(x.to, y.to), 0, 2);
    call(std::max(x.to, y.from), y.to, 1, 1);
  }

  /// Products of keys with the block's queries.
  void score(const float* keys, const float* queries, const Piece& p, i64 k0, float* to) const {
    const i64 v = p.first * lanes;
    multiply({keys + p.keys.from * row_words, row_words, 1, queries + v, query_block, steps(s.dim),
              to + (p.keys.from - k0) * query_block + v, query_block, p.keys.to - p.keys.from,
              p.vectors, false});
  }
  /// to [dim, query_block] += rows of keys, or of values, times scores.
  void add_rows(const float* across_keys, const float* weights, const Piece& p, i64 k0,
                float* to) const {
    const i64 v = p.first * lanes;
    multiply({across_keys + p.keys.from / span * width, 1, width,
              weights + (p.keys.from - k0) / span * query_block + v, query_block,
              (p.keys.to - p.keys.from) / span, to + v, query_block, s.dim, p.vectors, true});
  }
  /// Scores as an operand across keys.
  const float* across_keys(const float* from, Span keys, i64 k0, float* to) const {
    if (!pairs) return from;
    pairs->rows(from + (keys.from - k0) * query_block, query_block, keys.to - keys.from,
                query_block, to + (keys.from - k0) / 2 * query_block, query_block);
    return to;
  }

  /// The scores of one key with a vector of queries, scaled; -inf where a query does not see it.
  HWY_INLINE V seen(const float* score, i64 j, i64 vector, Span all) const {
    V x = hn::Mul(hn::LoadU(d, score), scale);
    if (j >= all.from && j < all.to && !s.mask) return x;
    const DI di;
    const std::int32_t* first = first_keys + vector * lanes;
    const std::int32_t* end = end_keys + vector * lanes;
    const auto key = hn::Set(di, static_cast<std::int32_t>(j));
    const auto hidden =
        hn::Or(hn::Gt(hn::LoadU(di, first), key), hn::Not(hn::Gt(hn::LoadU(di, end), key)));
    x = hn::IfThenElse(hn::RebindMask(d, hidden), num(lowest), x);
    const bool masked = s.mask && j < s.keys && !(a.mask[batch * s.keys + j] > 0);
    return masked ? num(lowest) : x;
  }
  /// Keys that all queries of a vector see.
  Span seen_by_all(i64 vector) const {
    return {first_keys[vector * lanes + lanes - 1], end_keys[vector * lanes]};
  }

  static constexpr i64 units_row() { return key_block + 2 * philox_block; }
  /// For dropout: the random numbers of a block, keys first.
  void draw(i64 k0) {
    for (i64 r = 0; r < rows; ++r) {
      const i64 row = ((a.scalars->first_sample + batch) * s.heads + q_head()) * s.queries + i0 + r;
      const i64 from = k0 / philox_block * philox_block, base = row * s.dropout_row();
      for (i64 j = from; j < std::min(k0 + key_block, s.keys); j += philox_block)
        philox_units(static_cast<std::uint64_t>(base + j) / 4, a.stream,
                     static_cast<std::uint32_t>(a.scalars->counter), a.scalars->seed,
                     units + r * units_row() + j - from);
    }
    transpose(units + k0 % philox_block, units_row(), rows, std::min(key_block, s.keys - k0),
              numbers, query_block, query_block);
  }
  HWY_INLINE V keep(V x, const float* number) const {
    const auto kept = hn::Ge(hn::LoadU(d, number), num(static_cast<float>(s.dropout)));
    return hn::IfThenElseZero(kept, hn::Mul(x, num(static_cast<float>(1 / (1 - s.dropout)))));
  }
};

struct Forward : Work {
  float *v_across, *sums, *words;
  Forward(const AttentionLoops& loops, i64 b, i64 h, void* scratch) : Work(loops, b, h, scratch) {
    v_across = take(round_up(s.keys, 2) * width / span);
    sums = take(s.dim * query_block);
    words = take(pairs ? key_block / 2 * query_block : 0);
    prefetch_next(value(0), s.kv_row(), s.keys);
    across(value(0), s.kv_row(), s.keys, s.keys, s.dim, v_across);
  }

  void run() {
    for_blocks([&] { block(); });
  }

  void block() {
    turned(a.q + query_at(), s.q_row(), q_turned);
    std::fill_n(sums, s.dim * query_block, 0.0F);
    std::fill_n(top, query_block, lowest);
    std::fill_n(total, query_block, 0.0F);
    for_key_blocks([&](i64 k0) {
      for_pieces(k0, [&](const Piece& p) { score(k_along, q_turned, p, k0, scores); });
      if (s.dropout > 0) draw(k0);
      for (i64 v = 0; v < 2; ++v) weigh(v, in_block(v, k0), k0);
      for_pieces(k0, [&](const Piece& p) {
        add_rows(v_across, across_keys(scores, p.keys, k0, words), p, k0, sums);
      });
    });
    finish();
  }

  /// Scores become weights relative to the largest so far; what there was follows.
  void weigh(i64 vector, Span keys, i64 k0) {
    if (keys.from >= keys.to) return;
    const Span all = seen_by_all(vector);
    float* at0 = scores + vector * lanes - k0 * query_block;
    const V before = hn::LoadU(d, top + vector * lanes);
    V now = before, sum = hn::Zero(d);
    for (i64 j = keys.from; j < keys.to; ++j) {
      const V x = seen(at0 + j * query_block, j, vector, all);
      hn::StoreU(x, d, at0 + j * query_block);
      now = hn::Max(now, x);
    }
    const V none = num(lowest), shift = hn::IfThenZeroElse(hn::Eq(now, none), now);
    const float* number = numbers + vector * lanes - k0 * query_block;
    for (i64 j = keys.from; j < keys.to; ++j) {
      const V e = exp_down(hn::Sub(hn::LoadU(d, at0 + j * query_block), shift));
      sum = hn::Add(sum, e);
      hn::StoreU(s.dropout > 0 ? keep(e, number + j * query_block) : e, d, at0 + j * query_block);
    }
    const V fade = exp_down(hn::Sub(before, shift));
    float* sums_at = sums + vector * lanes;
    if (!hn::AllTrue(d, hn::Eq(before, none)) && !hn::AllTrue(d, hn::Eq(fade, num(1))))
      for (i64 p = 0; p < s.dim; ++p, sums_at += query_block)
        hn::StoreU(hn::Mul(hn::LoadU(d, sums_at), fade), d, sums_at);
    float* t = total + vector * lanes;
    hn::StoreU(hn::MulAdd(hn::LoadU(d, t), fade, sum), d, t);
    hn::StoreU(now, d, top + vector * lanes);
  }

  void finish() {
    for (i64 v = 0; v * lanes < rows; ++v) {
      const V t = hn::LoadU(d, total + v * lanes);
      const auto none = hn::Eq(t, hn::Zero(d));
      const V factor = hn::IfThenZeroElse(none, hn::Div(num(1), t));
      float* at = sums + v * lanes;
      for (i64 p = 0; p < s.dim; ++p, at += query_block)
        hn::StoreU(hn::Mul(hn::LoadU(d, at), factor), d, at);
      const V lse = hn::IfThenZeroElse(none, hn::Add(hn::LoadU(d, top + v * lanes), log(t)));
      const auto here = hn::FirstN(d, static_cast<size_t>(std::min(lanes, rows - v * lanes)));
      hn::BlendedStore(lse, here, d, a.lse + row_at() + v * lanes);
    }
    transpose(sums, query_block, s.dim, rows, a.out + out_at(), s.out_row(), s.dim);
  }
};

struct Backward : Work {
  float *k_across, *v_along, *dk, *dv, *q_across, *dy_across, *dy_turned, *dq, *ds, *words;
  Backward(const AttentionLoops& loops, i64 b, i64 h, void* scratch) : Work(loops, b, h, scratch) {
    k_across = pairs ? take(round_up(s.keys, 2) / 2 * width) : k_along;
    v_along = take(round_up(s.keys, span) * row_words);
    dk = take(s.keys * width);
    dv = take(s.keys * width);
    q_across = take(query_block / span * width);
    dy_across = take(query_block / span * width);
    dy_turned = take(s.dim * query_block);
    dq = take(s.dim * query_block);
    ds = take(key_block * query_block);
    words = take(pairs ? key_block / 2 * query_block : 0);
    if (pairs) across(key(0), s.kv_row(), s.keys, s.keys, s.dim, k_across);
    along(value(0), v_along);
    std::fill_n(dk, s.keys * width, 0.0F);
    std::fill_n(dv, s.keys * width, 0.0F);
  }

  void run() {
    for_blocks([&] { block(); });
    float* to = a.dkv + batch * s.keys * s.kv_row() + head * s.dim;
    prefetch_next(to + s.k_at(), s.kv_row(), s.keys);
    prefetch_next(to + s.v_at(), s.kv_row(), s.keys);
    for (i64 j = 0; j < s.keys; ++j, to += s.kv_row()) {
      copy_scaled(dk + j * width, s.dim, static_cast<float>(s.scale), to + s.k_at());
      copy_scaled(dv + j * width, s.dim, 1, to + s.v_at());
    }
  }

  void load() {
    const float *q = a.q + query_at(), *dy = a.dout + out_at(), *out = a.out + out_at();
    prefetch_next(out, s.out_row(), rows);
    prefetch_next(a.dq + query_at(), s.q_row(), rows);
    turned(q, s.q_row(), q_turned);
    turned(dy, s.out_row(), dy_turned);
    across(q, s.q_row(), rows, query_block, s.dim, q_across);
    across(dy, s.out_row(), rows, query_block, s.dim, dy_across);
    std::fill_n(dq, s.dim * query_block, 0.0F);
    for (i64 r = 0; r < query_block; ++r) {
      top[r] = r < rows ? a.lse[row_at() + r] : -lowest;  // no weight where there is no query
      total[r] = 0;
      if (r >= rows) continue;
      total[r] = dot(out + r * s.out_row(), dy + r * s.out_row(), s.dim);
      if (a.dlse) total[r] -= a.dlse[row_at() + r];
    }
  }

  void block() {
    load();
    for_key_blocks([&](i64 k0) {
      for_pieces(k0, [&](const Piece& p) {
        score(k_along, q_turned, p, k0, scores);
        score(v_along, dy_turned, p, k0, ds);
      });
      if (s.dropout > 0) draw(k0);
      for (i64 v = 0; v < 2; ++v) weigh(v, in_block(v, k0), k0);
      for_pieces(k0, [&](const Piece& p) {
        add_rows(k_across, across_keys(ds, p.keys, k0, words), p, k0, dq);
        add_keys(scores, dy_across, p, k0, dv);
        add_keys(ds, q_across, p, k0, dk);
      });
    });
    for (i64 i = 0; i < s.dim * query_block; i += lanes)
      hn::StoreU(hn::Mul(hn::LoadU(d, dq + i), scale), d, dq + i);
    transpose(dq, query_block, s.dim, rows, a.dq + query_at(), s.q_row(), s.dim);
  }

  /// Scores become weights, with dropout, and products become gradients of the scores.
  void weigh(i64 vector, Span keys, i64 k0) {
    const Span all = seen_by_all(vector);
    const i64 offset = vector * lanes - k0 * query_block;
    const V shift = hn::LoadU(d, top + vector * lanes), mean = hn::LoadU(d, total + vector * lanes);
    for (i64 j = keys.from; j < keys.to; ++j) {
      float *score = scores + offset + j * query_block, *gradient = ds + offset + j * query_block;
      const V p = exp_down(hn::Sub(seen(score, j, vector, all), shift));
      V dp = hn::LoadU(d, gradient), kept = p;
      if (s.dropout > 0) {
        const float* number = numbers + offset + j * query_block;
        dp = keep(dp, number);
        kept = keep(p, number);
      }
      hn::StoreU(kept, d, score);
      hn::StoreU(hn::Mul(p, hn::Sub(dp, mean)), d, gradient);
    }
  }

  /// to [keys, width] += weights times rows of queries.
  void add_keys(const float* weights, const float* across_queries, const Piece& p, i64 k0,
                float* to) const {
    const i64 from = p.keys.from, n = std::min(p.keys.to, s.keys) - from;
    const float* w = weights + (from - k0) * query_block;
    i64 row = query_block, first = p.first * lanes;
    if (pairs) {
      row = query_block / 2, first /= 2;
      pairs->neighbours(w, query_block, n, query_block, words, row);
      w = words;
    }
    for (i64 column = 0; column < width; column += 2 * lanes)
      multiply({w + first, row, 1, across_queries + first * width + column, width,
                p.vectors * lanes / span, to + from * width + column, width, n,
                std::min<i64>(2, (width - column) / lanes), true});
  }
};

}  // namespace

void forward(const AttentionLoops& loops, i64 batch, i64 head, void* scratch) {
  Forward(loops, batch, head, scratch).run();
}
void backward(const AttentionLoops& loops, i64 batch, i64 head, void* scratch) {
  Backward(loops, batch, head, scratch).run();
}

}  // namespace goneuron::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace goneuron::cpu {
HWY_EXPORT(forward);
HWY_EXPORT(backward);

AttentionHead attention_forward() {
  choose_target();
  return &HWY_DYNAMIC_DISPATCH(forward);
}
AttentionHead attention_backward() {
  choose_target();
  return &HWY_DYNAMIC_DISPATCH(backward);
}

i64 attention_scratch(const AttentionSizes& s, bool backward) {
  constexpr i64 widest = 16, queries = 2 * widest, random_block = 4 * widest;
  const i64 keys = round_up(s.keys, 2), dim = round_up(s.dim, widest);
  const i64 a_key = (backward ? 5 : 2) * dim;
  const i64 a_query = (backward ? 5 : 2) * dim + (backward ? 3 : 2) * key_block;
  const i64 random = s.dropout > 0 ? 2 * key_block + 2 * random_block : 0, rounding = 20 * widest;
  return checked_mul(checked_mul(keys, a_key) + queries * (a_query + random) + rounding,
                     i64{sizeof(float)});
}

}  // namespace goneuron::cpu
#endif
