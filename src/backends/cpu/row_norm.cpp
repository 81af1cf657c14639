#include "backends/cpu/row_norm.h"

#include <algorithm>
#include <cmath>

#include "backends/cpu/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/row_norm.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h comes first
#include <hwy/highway.h>

#include "backends/cpu/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace goneuron::cpu::HWY_NAMESPACE {
namespace {

constexpr i64 chains = 4;       // sums that run side by side along a row
constexpr i64 group = 4;        // vectors of columns that are summed over rows at a time
constexpr i64 block_rows = 16;  // rows summed apart: chains stay short, and so do their errors

/// The vector at p, of which only the first `left` floats exist when not kFull; zeros behind.
template <bool kFull>
HWY_INLINE V load(const float* p, i64 left) {
  const D d;
  if (kFull) return hn::LoadU(d, p);
  return hn::MaskedLoad(hn::FirstN(d, static_cast<size_t>(left)), d, p);
}
template <bool kFull>
HWY_INLINE void store(V v, float* p, i64 left) {
  const D d;
  if (kFull)
    hn::StoreU(v, d, p);
  else
    hn::BlendedStore(v, hn::FirstN(d, static_cast<size_t>(left)), d, p);
}

/// Calls f.at<whole>(j, left) for each vector of a row.
template <class F>
HWY_INLINE void for_vectors(i64 n, const F& f) {
  i64 j = 0;
  for (; j + lanes <= n; j += lanes) f.template at<true>(j, 0);
  if (j < n) f.template at<false>(j, n - j);
}

HWY_INLINE float total(const V* s) {
  const D d;
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(s[0], s[1]), hn::Add(s[2], s[3]))));
}

/// The sum of a row in `chains` chains; g.at<whole>(sum, j, left) adds a vector to one of them.
template <class G>
HWY_INLINE float row_sum(i64 n, const G& g) {
  const D d;
  V s[chains] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
  i64 j = 0;
  for (; j + chains * lanes <= n; j += chains * lanes) {
#pragma GCC unroll 4
    for (i64 c = 0; c < chains; ++c) s[c] = g.template at<true>(s[c], j + c * lanes, 0);
  }
  for (; j + lanes <= n; j += lanes) s[0] = g.template at<true>(s[0], j, 0);
  if (j < n) s[1] = g.template at<false>(s[1], j, n - j);
  return total(s);
}

struct Sum {
  const float* x;
  template <bool kFull>
  HWY_INLINE V at(V sum, i64 j, i64 left) const {
    return hn::Add(sum, load<kFull>(x + j, left));
  }
};

template <bool kCentred>
struct Squares {
  const float* x;
  float mean;
  template <bool kFull>
  HWY_INLINE V at(V sum, i64 j, i64 left) const {
    const D d;
    V v = load<kFull>(x + j, left);
    if (kCentred) v = hn::Sub(v, hn::Set(d, mean));
    if (kCentred && !kFull) v = hn::IfThenElseZero(hn::FirstN(d, static_cast<size_t>(left)), v);
    return hn::MulAdd(v, v, sum);
  }
};

template <bool kCentred>
struct Normalise {
  const float *x, *gamma, *beta;
  float* y;
  float mean, rstd;
  template <bool kFull>
  HWY_INLINE void at(i64 j, i64 left) const {
    const D d;
    V v = load<kFull>(x + j, left);
    if (kCentred) v = hn::Sub(v, hn::Set(d, mean));
    v = hn::Mul(v, hn::Set(d, rstd));
    const V scale = load<kFull>(gamma + j, left);
    v = kCentred ? hn::MulAdd(v, scale, load<kFull>(beta + j, left)) : hn::Mul(v, scale);
    store<kFull>(v, y + j, left);
  }
};

template <bool kCentred>
void forward_rows(const RowNormArgs& a, i64 rows) {
  const auto count = static_cast<float>(a.n);
  for (i64 r = 0; r < rows; ++r) {
    const float* x = a.x + r * a.n;
    const float mean = kCentred ? row_sum(a.n, Sum{x}) / count : 0;
    const float squares = row_sum(a.n, Squares<kCentred>{x, mean});
    const float rstd = 1 / std::sqrt(squares / count + a.epsilon);
    for_vectors(a.n, Normalise<kCentred>{x, a.gamma, a.beta, a.out + r * a.n, mean, rstd});
    if (kCentred) a.mean[r] = mean;
    a.rstd[r] = rstd;
  }
}

/// g = dy gamma and g (x - mean), summed together.
template <bool kCentred>
HWY_INLINE void gradient_sums(const RowNormArgs& a, const float* x, const float* dy, float mean,
                              float& sum, float& dot) {
  const D d;
  V s[chains], t[chains];
  for (i64 c = 0; c < chains; ++c) s[c] = t[c] = hn::Zero(d);
  const V centre = hn::Set(d, mean);
  i64 j = 0;
  for (; j + chains * lanes <= a.n; j += chains * lanes) {
#pragma GCC unroll 4
    for (i64 c = 0; c < chains; ++c) {
      const i64 at = j + c * lanes;
      const V g = hn::Mul(hn::LoadU(d, dy + at), hn::LoadU(d, a.gamma + at));
      V v = hn::LoadU(d, x + at);
      if (kCentred) {
        v = hn::Sub(v, centre);
        s[c] = hn::Add(s[c], g);
      }
      t[c] = hn::MulAdd(g, v, t[c]);
    }
  }
  for (; j < a.n; j += lanes) {  // missing floats of dy are 0
    const i64 left = std::min(lanes, a.n - j);
    const V g = hn::Mul(load<false>(dy + j, left), load<false>(a.gamma + j, left));
    V v = load<false>(x + j, left);
    if (kCentred) {
      v = hn::Sub(v, centre);
      s[0] = hn::Add(s[0], g);
    }
    t[0] = hn::MulAdd(g, v, t[0]);
  }
  sum = kCentred ? total(s) : 0;
  dot = total(t);
}

/// dx = rstd (dy gamma - offset - (x - mean) slope)
template <bool kCentred>
struct InputGrad {
  const float *x, *dy, *gamma;
  float* dx;
  float mean, rstd, offset, slope;
  template <bool kFull>
  HWY_INLINE void at(i64 j, i64 left) const {
    const D d;
    V v = load<kFull>(x + j, left);
    V g = hn::Mul(load<kFull>(dy + j, left), load<kFull>(gamma + j, left));
    if (kCentred) {
      v = hn::Sub(v, hn::Set(d, mean));
      g = hn::Sub(g, hn::Set(d, offset));
    }
    g = hn::NegMulAdd(v, hn::Set(d, slope), g);
    store<kFull>(hn::Mul(g, hn::Set(d, rstd)), dx + j, left);
  }
};

template <bool kCentred>
void input_grad_rows(const RowNormArgs& a, i64 rows) {
  const float per = 1 / static_cast<float>(a.n);
  for (i64 r = 0; r < rows; ++r) {
    const float *x = a.x + r * a.n, *dy = a.dy + r * a.n;
    const float mean = kCentred ? a.mean[r] : 0, rstd = a.rstd[r];
    float sum = 0, dot = 0;
    gradient_sums<kCentred>(a, x, dy, mean, sum, dot);
    for_vectors(a.n, InputGrad<kCentred>{x, dy, a.gamma, a.out + r * a.n, mean, rstd, sum * per,
                                         dot * rstd * rstd * per});
  }
}

template <bool kCentred, i64 vectors, bool kFull>
HWY_INLINE void sum_block(const RowNormArgs& a, i64 row, i64 rows, i64 column, float* dgamma,
                          float* dbeta, i64 left) {
  const D d;
  V s[vectors], t[vectors];
#pragma GCC unroll 4
  for (i64 v = 0; v < vectors; ++v) s[v] = t[v] = hn::Zero(d);
  const float *x = a.x + row * a.n + column, *dy = a.dy + row * a.n + column;
  for (i64 r = row; r < row + rows; ++r, x += a.n, dy += a.n) {
    const V rstd = hn::Set(d, a.rstd[r]);
    const V mean = kCentred ? hn::Set(d, a.mean[r]) : hn::Zero(d);
#pragma GCC unroll 4
    for (i64 v = 0; v < vectors; ++v) {
      const V g = load<kFull>(dy + v * lanes, left);
      V value = load<kFull>(x + v * lanes, left);
      if (kCentred) {
        value = hn::Sub(value, mean);
        s[v] = hn::Add(s[v], g);
      }
      t[v] = hn::MulAdd(hn::Mul(value, rstd), g, t[v]);
    }
  }
#pragma GCC unroll 4
  for (i64 v = 0; v < vectors; ++v) {
    float* to = dgamma + column + v * lanes;
    store<kFull>(hn::Add(load<kFull>(to, left), t[v]), to, left);
    if (!kCentred) continue;
    to = dbeta + column + v * lanes;
    store<kFull>(hn::Add(load<kFull>(to, left), s[v]), to, left);
  }
}

template <bool kCentred>
void weight_sum_rows(const RowNormArgs& a, i64 rows, float* dgamma, float* dbeta) {
  for (i64 r = 0; r < rows; r += block_rows) {
    const i64 count = std::min(block_rows, rows - r);
    i64 j = 0;
    for (; j + group * lanes <= a.n; j += group * lanes)
      sum_block<kCentred, group, true>(a, r, count, j, dgamma, dbeta, 0);
    for (; j + lanes <= a.n; j += lanes)
      sum_block<kCentred, 1, true>(a, r, count, j, dgamma, dbeta, 0);
    if (j < a.n) sum_block<kCentred, 1, false>(a, r, count, j, dgamma, dbeta, a.n - j);
  }
}

struct Blend {
  const float *x, *dy, *mean, *scale, *slope, *shift;
  float* out;
  template <bool kFull>
  HWY_INLINE void at(i64 j, i64 left) const {
    const V off = hn::Sub(load<kFull>(x + j, left), load<kFull>(mean + j, left));
    const V line = hn::MulAdd(off, load<kFull>(slope + j, left), load<kFull>(shift + j, left));
    store<kFull>(hn::MulAdd(load<kFull>(dy + j, left), load<kFull>(scale + j, left), line), out + j,
                 left);
  }
};

void forward(const RowNormArgs& a, i64 rows) {
  if (a.mean)
    forward_rows<true>(a, rows);
  else
    forward_rows<false>(a, rows);
}
void input_grad(const RowNormArgs& a, i64 rows) {
  if (a.mean)
    input_grad_rows<true>(a, rows);
  else
    input_grad_rows<false>(a, rows);
}
void weight_sums(const RowNormArgs& a, i64 rows, float* dgamma, float* dbeta) {
  if (a.mean)
    weight_sum_rows<true>(a, rows, dgamma, dbeta);
  else
    weight_sum_rows<false>(a, rows, dgamma, dbeta);
}
void blend(const RowNormArgs& a, i64 rows, const float* mean, const float* scale,
           const float* slope, const float* shift) {
  for (i64 r = 0; r < rows; ++r)
    for_vectors(a.n,
                Blend{a.x + r * a.n, a.dy + r * a.n, mean, scale, slope, shift, a.out + r * a.n});
}

}  // namespace

RowNorm find_row_norm() { return {forward, input_grad, weight_sums, blend}; }

}  // namespace goneuron::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace goneuron::cpu {

HWY_EXPORT(find_row_norm);
RowNorm row_norm() {
  choose_target();
  return HWY_DYNAMIC_DISPATCH(find_row_norm)();
}

}  // namespace goneuron::cpu
#endif
