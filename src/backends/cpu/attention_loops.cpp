// Scores of a block of queries with a block of keys at a time; rows are normalised as they grow
// (Milakov & Gimelshein 2018) and scores made again for the gradient (Dao et al. 2022). All
// products are register tiles over operands packed and padded once a head, so none has edges.
#include "backends/cpu/attention_loops.h"

#include <cstring>
#include <limits>

#include "backends/cpu/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/attention_loops.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h comes first
#include <hwy/highway.h>

#include "backends/cpu/philox-inl.h"
#include "backends/cpu/vector_math-inl.h"

#ifndef GONEURON_ATTENTION_BLOCKS
#define GONEURON_ATTENTION_BLOCKS
namespace goneuron::cpu {
// Queries and keys of a block: its scores stay in the first-level cache.
constexpr i64 query_block = 32, key_block = 128;
constexpr i64 up(i64 n, i64 unit) { return (n + unit - 1) / unit * unit; }
constexpr i64 down(i64 n, i64 unit) { return n / unit * unit; }
}  // namespace goneuron::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace goneuron::cpu::HWY_NAMESPACE {
namespace {

constexpr i64 lanes = HWY_LANES(float);
constexpr i64 nr = 2 * lanes;            // keys of a packed panel
constexpr i64 mr = lanes >= 16 ? 8 : 4;  // rows of a register tile
constexpr i64 unit = nr > mr ? nr : mr;  // ranges of keys are whole units
constexpr float lowest = -std::numeric_limits<float>::infinity();

/// c [mr, kVectors] (+)= sum over p of a[i kRow + p kStep] b[p b_row ..].
template <i64 kVectors, i64 kRow, i64 kStep, bool kAdd>
HWY_INLINE void tile(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, i64 b_row, i64 k,
                     float* HWY_RESTRICT c, i64 c_row) {
  V s[mr][kVectors];
#pragma GCC unroll 8
  for (i64 i = 0; i < mr; ++i)
#pragma GCC unroll 2
    for (i64 v = 0; v < kVectors; ++v)
      s[i][v] = kAdd ? hn::LoadU(d, c + i * c_row + v * lanes) : hn::Zero(d);
  for (i64 p = 0; p < k; ++p, a += kStep, b += b_row) {
    V w[kVectors];
#pragma GCC unroll 2
    for (i64 v = 0; v < kVectors; ++v) w[v] = hn::LoadU(d, b + v * lanes);
#pragma GCC unroll 8
    for (i64 i = 0; i < mr; ++i) {
      const V x = hn::Set(d, a[i * kRow]);
#pragma GCC unroll 2
      for (i64 v = 0; v < kVectors; ++v) s[i][v] = hn::MulAdd(x, w[v], s[i][v]);
    }
  }
#pragma GCC unroll 8
  for (i64 i = 0; i < mr; ++i)
#pragma GCC unroll 2
    for (i64 v = 0; v < kVectors; ++v) hn::StoreU(s[i][v], d, c + i * c_row + v * lanes);
}

/// The same, added to, over all `width` columns.
template <i64 kRow, i64 kStep>
void add_product(const float* a, const float* b, i64 k, float* c, i64 width) {
  i64 j = 0;
  for (; j + nr <= width; j += nr) tile<2, kRow, kStep, true>(a, b + j, width, k, c + j, width);
  if (j < width) tile<1, kRow, kStep, true>(a, b + j, width, k, c + j, width);
}

/// to[p * stride + i] = from[i * row + p], four by four in registers; zeros up to `stride` rows.
void transpose(const float* from, i64 row, i64 rows, i64 depth, float* HWY_RESTRICT to,
               i64 stride) {
  i64 i = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::FixedTag<float, 4> d4;
  for (; i + 4 <= rows; i += 4, from += 4 * row) {
    float* t = to + i;
    i64 p = 0;
    for (; p + 4 <= depth; p += 4, t += 4 * stride) {
      const auto r0 = hn::LoadU(d4, from + p), r1 = hn::LoadU(d4, from + row + p);
      const auto r2 = hn::LoadU(d4, from + 2 * row + p), r3 = hn::LoadU(d4, from + 3 * row + p);
      const auto u0 = hn::InterleaveLower(d4, r0, r2), u1 = hn::InterleaveLower(d4, r1, r3);
      const auto u2 = hn::InterleaveUpper(d4, r0, r2), u3 = hn::InterleaveUpper(d4, r1, r3);
      hn::StoreU(hn::InterleaveLower(d4, u0, u1), d4, t);
      hn::StoreU(hn::InterleaveUpper(d4, u0, u1), d4, t + stride);
      hn::StoreU(hn::InterleaveLower(d4, u2, u3), d4, t + 2 * stride);
      hn::StoreU(hn::InterleaveUpper(d4, u2, u3), d4, t + 3 * stride);
    }
    for (; p < depth; ++p, t += stride)
      for (i64 r = 0; r < 4; ++r) t[r] = from[r * row + p];
  }
#endif
  for (; i < rows; ++i, from += row)
    for (i64 p = 0; p < depth; ++p) to[p * stride + i] = from[p];
  for (; i < stride; ++i)
    for (i64 p = 0; p < depth; ++p) to[p * stride + i] = 0;
}

/// Panels [n / kWide, depth, kWide] of rows.
template <i64 kWide>
void pack_panels(const float* from, i64 row, i64 n, i64 padded, i64 depth, float* to) {
  for (i64 j = 0; j < padded; j += kWide, from += kWide * row, to += kWide * depth)
    transpose(from, row, std::clamp<i64>(n - j, 0, kWide), depth, to, kWide);
}

/// Rows one behind the other, zeros behind `depth` and behind the last.
void pack_rows(const float* from, i64 row, i64 n, i64 padded, i64 depth, i64 width, float scale,
               float* to) {
  for (i64 i = 0; i < n; ++i, from += row, to += width) {
    for (i64 p = 0; p < depth; ++p) to[p] = from[p] * scale;
    std::fill(to + depth, to + width, 0.0F);
  }
  std::fill_n(to, (padded - n) * width, 0.0F);
}

void copy_scaled(const float* from, i64 n, float scale, float* to) {
  i64 i = 0;
  for (; i + lanes <= n; i += lanes)
    hn::StoreU(hn::Mul(hn::LoadU(d, from + i), num(scale)), d, to + i);
  for (; i < n; ++i) to[i] = from[i] * scale;
}

float dot(const float* a, const float* b, i64 n) {
  V sum = hn::Zero(d);
  for (i64 i = 0; i < n; i += lanes) {
    const auto here = hn::FirstN(d, static_cast<size_t>(std::min(lanes, n - i)));
    sum = hn::MulAdd(hn::MaskedLoad(here, d, a + i), hn::MaskedLoad(here, d, b + i), sum);
  }
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

struct Span {
  i64 from, to;
};

/// What a worker needs for one key head; memory is taken from its scratch.
struct Work {
  const AttentionLoops& a;
  const AttentionSizes& s;
  i64 batch, head, width, padded;  // width: dim in whole vectors
  float* at;
  float *k_panels, *bias, *scores, *q_panels, *units, *top, *total;
  std::uint64_t first_element = 0;  // of the row of scores at hand

  Work(const AttentionLoops& loops, i64 b, i64 h, void* scratch)
      : a(loops),
        s(loops.sizes),
        batch(b),
        head(h),
        width(up(s.dim, lanes)),
        padded(up(s.keys, unit)),
        at(static_cast<float*>(scratch)) {
    k_panels = take(padded * s.dim);
    bias = take(s.mask ? padded : 0);
    scores = take(query_block * key_block);
    q_panels = take(query_block * s.dim);
    units = take(key_block + 2 * philox_block);
    top = take(query_block);
    total = take(query_block);
    pack_panels<nr>(key(0), s.kv_row(), s.keys, padded, s.dim, k_panels);
    if (s.mask)
      for (i64 j = 0; j < s.keys; ++j) bias[j] = a.mask[batch * s.keys + j] > 0 ? 0 : lowest;
    if (s.mask) std::fill(bias + s.keys, bias + padded, lowest);
  }
  float* take(i64 count) {
    float* here = at;
    at += up(count, 16);
    return here;
  }

  const float* key(i64 j) const {
    return a.kv + (batch * s.keys + j) * s.kv_row() + s.k_at() + head * s.dim;
  }
  const float* value(i64 j) const { return key(j) + s.v_at() - s.k_at(); }
  i64 q_head(i64 member) const { return head * s.group() + member; }
  const float* query(i64 member, i64 i) const {
    return a.q + (batch * s.queries + i) * s.q_row() + q_head(member) * s.dim;
  }
  i64 out_at(i64 member, i64 i) const {
    return (batch * s.queries + i) * s.out_row() + q_head(member) * s.dim;
  }
  i64 row_at(i64 member, i64 i) const { return (batch * s.heads + q_head(member)) * s.queries + i; }

  /// Keys that queries [i, i + rows) see, in whole units.
  Span keys_of(i64 i, i64 rows) const {
    return {down(s.first_key(i), unit), up(s.end_key(i + rows - 1), unit)};
  }
  /// The part of a block from k0 that the `rows` queries from i see.
  Span in_block(i64 i, i64 rows, i64 k0) const {
    const Span all = keys_of(i, rows);
    return {std::max(k0, all.from), std::min(k0 + key_block, all.to)};
  }

  /// Products of mr rows, packed, with keys: to[i * key_block + j - k0].
  void products(const float* rows, const float* panels, Span keys, i64 k0, float* to) const {
    for (i64 j = keys.from; j < keys.to; j += nr)
      tile<2, 1, mr, false>(rows, panels + j * s.dim, nr, s.dim, to + j - k0, key_block);
  }

  /// -inf for keys that query i does not see, on a row of scores.
  void hide(float* row, i64 i, Span keys, i64 k0) const {
    row -= k0;
    if (s.mask)
      for (i64 j = keys.from; j < keys.to; j += lanes)
        hn::StoreU(hn::Add(hn::LoadU(d, row + j), hn::LoadU(d, bias + j)), d, row + j);
    const i64 first = std::max(s.first_key(i), keys.from), end = std::min(s.end_key(i), keys.to);
    for (i64 j = keys.from; j < std::min(first, keys.to); ++j) row[j] = lowest;
    for (i64 j = std::max(end, keys.from); j < keys.to; ++j) row[j] = lowest;
  }

  /// For dropout: the random numbers of keys from `keys.from` on; where they begin.
  const float* numbers(i64 member, i64 i, Span keys) {
    const i64 row = ((a.scalars->first_sample + batch) * s.heads + q_head(member)) * s.queries + i;
    const i64 from = down(keys.from, philox_block), base = row * s.dropout_row();
    for (i64 j = from; j < keys.to; j += philox_block)
      philox_units(static_cast<std::uint64_t>(base + j) / 4, a.stream,
                   static_cast<std::uint32_t>(a.scalars->counter), a.scalars->seed,
                   units + j - from);
    return units + keys.from - from;
  }
  V keep(V x, const float* number) const {
    const auto kept = hn::Ge(hn::LoadU(d, number), num(static_cast<float>(s.dropout)));
    return hn::IfThenElseZero(kept, hn::Mul(x, num(static_cast<float>(1 / (1 - s.dropout)))));
  }
};

struct Forward : Work {
  float *values, *sums;
  Forward(const AttentionLoops& loops, i64 b, i64 h, void* scratch) : Work(loops, b, h, scratch) {
    values = take(padded * width);
    sums = take(query_block * width);
    pack_rows(value(0), s.kv_row(), s.keys, padded, s.dim, width, 1, values);
  }

  void run() {
    for (i64 member = 0; member < s.group(); ++member)
      for (i64 i = 0; i < s.queries; i += query_block)
        block(member, i, std::min(query_block, s.queries - i));
  }

  void block(i64 member, i64 i0, i64 rows) {
    const i64 whole = up(rows, mr);
    // The rows' own memory serves the scaled queries first.
    pack_rows(query(member, i0), s.q_row(), rows, whole, s.dim, width, static_cast<float>(s.scale),
              sums);
    pack_panels<mr>(sums, width, whole, whole, s.dim, q_panels);
    std::fill_n(sums, whole * width, 0.0F);
    std::fill_n(top, whole, lowest);
    std::fill_n(total, whole, 0.0F);
    const Span all = keys_of(i0, rows);
    for (i64 k0 = all.from; k0 < all.to; k0 += key_block)
      for (i64 r = 0; r < rows; r += mr) {
        const i64 height = std::min(mr, rows - r);
        const Span keys = in_block(i0 + r, height, k0);
        if (keys.from >= keys.to) continue;
        float* to = scores + r * key_block;
        products(q_panels + r * s.dim, k_panels, keys, k0, to);
        for (i64 n = 0; n < mr; ++n) weigh(member, i0, r + n, n < height, keys, k0);
        add_product<key_block, 1>(to + keys.from - k0, values + keys.from * width,
                                  keys.to - keys.from, sums + r * width, width);
      }
    finish(member, i0, rows);
  }

  /// Scores of a row become weights relative to the largest so far; what there was follows.
  void weigh(i64 member, i64 i0, i64 r, bool real, Span keys, i64 k0) {
    float* row = scores + r * key_block - k0;
    if (!real) return std::fill(row + keys.from, row + keys.to, 0.0F);
    hide(row + k0, i0 + r, keys, k0);
    V most = num(lowest), sum = hn::Zero(d);
    for (i64 j = keys.from; j < keys.to; j += lanes) most = hn::Max(most, hn::LoadU(d, row + j));
    const float now = std::max(top[r], hn::GetLane(hn::MaxOfLanes(d, most)));
    const float shift = now == lowest ? 0 : now;
    const float* number = s.dropout > 0 ? numbers(member, i0 + r, keys) : nullptr;
    for (i64 j = keys.from; j < keys.to; j += lanes) {
      const V e = exp_down(hn::Sub(hn::LoadU(d, row + j), num(shift)));
      sum = hn::Add(sum, e);
      hn::StoreU(number ? keep(e, number + j - keys.from) : e, d, row + j);
    }
    const float fade = top[r] == lowest ? 0 : std::exp(top[r] - shift);
    total[r] = total[r] * fade + hn::GetLane(hn::SumOfLanes(d, sum));
    if (top[r] != lowest && fade != 1) copy_scaled(sums + r * width, width, fade, sums + r * width);
    top[r] = now;
  }

  void finish(i64 member, i64 i0, i64 rows) {
    for (i64 r = 0; r < rows; ++r) {
      const bool none = total[r] == 0;
      copy_scaled(sums + r * width, s.dim, none ? 0 : 1 / total[r], a.out + out_at(member, i0 + r));
      a.lse[row_at(member, i0 + r)] = none ? 0 : top[r] + std::log(total[r]);
    }
  }
};

struct Backward : Work {
  float *v_panels, *keys, *dk, *dv, *q, *dy, *dy_panels, *dq, *ds;
  Backward(const AttentionLoops& loops, i64 b, i64 h, void* scratch) : Work(loops, b, h, scratch) {
    v_panels = take(padded * s.dim);
    keys = take(padded * width);
    dk = take(padded * width);
    dv = take(padded * width);
    q = take(query_block * width);
    dy = take(query_block * width);
    dy_panels = take(query_block * s.dim);
    dq = take(query_block * width);
    ds = take(query_block * key_block);
    pack_panels<nr>(value(0), s.kv_row(), s.keys, padded, s.dim, v_panels);
    pack_rows(key(0), s.kv_row(), s.keys, padded, s.dim, width, 1, keys);
    std::fill_n(dk, padded * width, 0.0F);
    std::fill_n(dv, padded * width, 0.0F);
  }

  void run() {
    for (i64 member = 0; member < s.group(); ++member)
      for (i64 i = 0; i < s.queries; i += query_block)
        block(member, i, std::min(query_block, s.queries - i));
    for (i64 j = 0; j < s.keys; ++j) {
      float* to = a.dkv + (batch * s.keys + j) * s.kv_row() + head * s.dim;
      std::memcpy(to + s.k_at(), dk + j * width, static_cast<size_t>(s.dim) * sizeof(float));
      std::memcpy(to + s.v_at(), dv + j * width, static_cast<size_t>(s.dim) * sizeof(float));
    }
  }

  void load(i64 member, i64 i0, i64 rows) {
    const i64 whole = up(rows, mr);
    pack_rows(query(member, i0), s.q_row(), rows, whole, s.dim, width, static_cast<float>(s.scale),
              q);
    pack_panels<mr>(q, width, whole, whole, s.dim, q_panels);
    pack_rows(a.dout + out_at(member, i0), s.out_row(), rows, whole, s.dim, width, 1, dy);
    pack_panels<mr>(dy, width, whole, whole, s.dim, dy_panels);
    std::fill_n(dq, whole * width, 0.0F);
    for (i64 r = 0; r < rows; ++r) {
      const i64 row = row_at(member, i0 + r);
      top[r] = a.lse[row];
      total[r] = dot(a.out + out_at(member, i0 + r), dy + r * width, s.dim);
      if (a.dlse) total[r] -= a.dlse[row];
    }
  }

  void block(i64 member, i64 i0, i64 rows) {
    load(member, i0, rows);
    const Span all = keys_of(i0, rows);
    for (i64 k0 = all.from; k0 < all.to; k0 += key_block) {
      for (i64 r = 0; r < rows; r += mr) {
        const i64 height = std::min(mr, rows - r);
        const Span seen = in_block(i0 + r, height, k0);
        if (seen.from >= seen.to) continue;
        products(q_panels + r * s.dim, k_panels, seen, k0, scores + r * key_block);
        products(dy_panels + r * s.dim, v_panels, seen, k0, ds + r * key_block);
        for (i64 n = 0; n < mr; ++n) weigh(member, i0, r + n, n < height, seen, k0);
        add_product<key_block, 1>(ds + r * key_block + seen.from - k0, keys + seen.from * width,
                                  seen.to - seen.from, dq + r * width, width);
      }
      by_keys(i0, rows, k0, std::min(k0 + key_block, all.to));
    }
    for (i64 r = 0; r < rows; ++r)
      copy_scaled(dq + r * width, s.dim, static_cast<float>(s.scale),
                  a.dq + (batch * s.queries + i0 + r) * s.q_row() + q_head(member) * s.dim);
  }

  /// Scores of a row become weights, with dropout, and products become gradients of the scores.
  void weigh(i64 member, i64 i0, i64 r, bool real, Span seen, i64 k0) {
    float *row = scores + r * key_block - k0, *gradient = ds + r * key_block - k0;
    if (!real) {
      std::fill(row + seen.from, row + seen.to, 0.0F);
      return std::fill(gradient + seen.from, gradient + seen.to, 0.0F);
    }
    hide(row + k0, i0 + r, seen, k0);
    const float* number = s.dropout > 0 ? numbers(member, i0 + r, seen) : nullptr;
    const V shift = num(top[r]), mean = num(total[r]);
    for (i64 j = seen.from; j < seen.to; j += lanes) {
      const V p = exp_down(hn::Sub(hn::LoadU(d, row + j), shift));
      V dp = hn::LoadU(d, gradient + j);
      if (number) dp = keep(dp, number + j - seen.from);
      hn::StoreU(number ? keep(p, number + j - seen.from) : p, d, row + j);
      hn::StoreU(hn::Mul(p, hn::Sub(dp, mean)), d, gradient + j);
    }
  }

  /// dv += weights^T dy and dk += ds^T q, for the keys of a block; rows that see none of a unit
  /// have no scores there.
  void by_keys(i64 i0, i64 rows, i64 k0, i64 k1) {
    for (i64 j0 = k0; j0 < k1; j0 += unit) {
      i64 first = rows, end = 0;
      for (i64 r = 0; r < rows; r += mr) {
        const Span seen = in_block(i0 + r, std::min(mr, rows - r), k0);
        if (seen.from > j0 || seen.to <= j0) continue;
        first = std::min(first, r);
        end = r + mr;
      }
      for (i64 j = j0; j < j0 + unit && first < end; j += mr) {
        const i64 at = first * key_block + j - k0;
        add_product<1, key_block>(scores + at, dy + first * width, end - first, dv + j * width,
                                  width);
        add_product<1, key_block>(ds + at, q + first * width, end - first, dk + j * width, width);
      }
    }
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
  constexpr i64 widest = 16;  // lanes
  const i64 keys = up(s.keys, 2 * widest), dim = up(s.dim, widest);
  const i64 a_key = backward ? 5 * dim + 1 : 2 * dim + 1;
  const i64 a_query = (backward ? 5 : 2) * dim + (backward ? 2 : 1) * key_block + 2;
  const i64 random = key_block + 8 * widest, rounding = 16 * 16;
  return checked_mul(checked_mul(keys, a_key) + query_block * a_query + random + rounding,
                     i64{sizeof(float)});
}

}  // namespace goneuron::cpu
#endif
