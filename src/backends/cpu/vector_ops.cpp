#include "backends/cpu/vector_ops.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>

#include "backends/cpu/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/vector_ops.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h comes first
#include <hwy/highway.h>

#include "backends/cpu/vector_math-inl.h"
#include "backends/cpu/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace goneuron::cpu::HWY_NAMESPACE {

/// Calls each(at, load, store) for the vectors of a row of n, the last one cut.
template <class Each>
HWY_INLINE void each_vector(i64 n, const Each& each) {
  i64 i = 0;
  for (; i + lanes <= n; i += lanes)
    each(
        i, [](const float* x) HWY_ATTR { return hn::LoadU(d, x); },
        [](V v, float* x) HWY_ATTR { hn::StoreU(v, d, x); });
  if (i == n) return;
  const auto here = hn::FirstN(d, static_cast<size_t>(n - i));
  each(
      i, [&](const float* x) HWY_ATTR { return hn::MaskedLoad(here, d, x); },
      [&](V v, float* x) HWY_ATTR { hn::BlendedStore(v, here, d, x); });
}

template <class F>
HWY_INLINE void unary_loop(const float* x, float* y, i64 n, const F& f) {
  each_vector(n, [&](i64 i, auto load, auto store) HWY_ATTR { store(f(load(x + i)), y + i); });
}

template <class F>
HWY_INLINE void binary_loop(const float* x, const float* y, float* out, i64 n, const F& f) {
  each_vector(n, [&](i64 i, auto load, auto store)
                     HWY_ATTR { store(f(load(x + i), load(y + i)), out + i); });
}

#define GONEURON_UNARY(NAME, ...)                                          \
  void row_##NAME(const float* from, float* to, i64 n, float a, float b) { \
    (void)a;                                                               \
    (void)b;                                                               \
    unary_loop(from, to, n, [&](V x) HWY_ATTR { return __VA_ARGS__; });    \
  }
#define GONEURON_BINARY(NAME, ...)                                                   \
  void row_##NAME(const float* from, const float* with, float* to, i64 n, float a) { \
    (void)a;                                                                         \
    binary_loop(from, with, to, n, [&](V x, V y) HWY_ATTR { return __VA_ARGS__; });  \
  }

HWY_INLINE V zero() { return hn::Zero(d); }

GONEURON_UNARY(neg, hn::Neg(x))
GONEURON_UNARY(exp, exp(x))
GONEURON_UNARY(log, log(x))
GONEURON_UNARY(sqrt, hn::Sqrt(x))
GONEURON_UNARY(square, hn::Mul(x, x))
GONEURON_UNARY(abs, hn::Abs(x))
GONEURON_UNARY(sign, hn::IfThenElse(hn::Gt(x, zero()), num(1),
                                    hn::IfThenElse(hn::Lt(x, zero()), num(-1), x)))
GONEURON_UNARY(scale_shift, hn::Add(hn::Mul(x, num(a)), num(b)))
GONEURON_UNARY(relu, hn::IfThenZeroElse(hn::Lt(x, zero()), x))
GONEURON_UNARY(leaky_relu, hn::IfThenElse(hn::Lt(x, zero()), hn::Mul(x, num(a)), x))
GONEURON_UNARY(sigmoid, sigmoid(x))
GONEURON_UNARY(tanh, tanh(x))
GONEURON_UNARY(gelu, hn::Mul(x, phi(x)))
GONEURON_UNARY(silu, hn::Mul(x, sigmoid(x)))
GONEURON_UNARY(elu,
               hn::IfThenElse(hn::Lt(x, zero()), hn::Mul(num(a), expm1(hn::Min(x, zero()))), x))
GONEURON_UNARY(selu,
               hn::Mul(num(selu_scale),
                       hn::IfThenElse(hn::Lt(x, zero()),
                                      hn::Mul(num(selu_alpha), expm1(hn::Min(x, zero()))), x)))

GONEURON_BINARY(add, hn::Add(x, y))
GONEURON_BINARY(sub, hn::Sub(x, y))
GONEURON_BINARY(mul, hn::Mul(x, y))
GONEURON_BINARY(div, hn::Div(x, y))
GONEURON_BINARY(maximum, keep_nan(x, keep_nan(y, hn::Max(x, y))))
GONEURON_BINARY(minimum, keep_nan(x, keep_nan(y, hn::Min(x, y))))
GONEURON_BINARY(greater, hn::IfThenElseZero(hn::Gt(x, y), num(1)))
GONEURON_BINARY(greater_equal, hn::IfThenElseZero(hn::Ge(x, y), num(1)))
GONEURON_BINARY(equal, hn::IfThenElseZero(hn::Eq(x, y), num(1)))
GONEURON_BINARY(relu_grad, hn::IfThenElseZero(hn::Gt(x, zero()), y))
GONEURON_BINARY(leaky_relu_grad, hn::IfThenElse(hn::Gt(x, zero()), y, hn::Mul(y, num(a))))
GONEURON_BINARY(sigmoid_grad, hn::Mul(y, hn::Mul(x, hn::Sub(num(1), x))))
GONEURON_BINARY(tanh_grad, hn::Mul(y, hn::Sub(num(1), hn::Mul(x, x))))
GONEURON_BINARY(elu_grad, hn::IfThenElse(hn::Gt(x, zero()), y, hn::Mul(y, hn::Add(x, num(a)))))
GONEURON_BINARY(selu_grad, hn::Mul(y, hn::IfThenElse(hn::Gt(x, zero()), num(selu_scale),
                                                     hn::Add(x, num(selu_scale* selu_alpha)))))
GONEURON_BINARY(gelu_grad,
                hn::Mul(y, hn::MulAdd(hn::Mul(x, num(0.39894228F)),
                                      exp_down(hn::Mul(num(-0.5F), hn::Mul(x, x))), phi(x))))
GONEURON_BINARY(silu_grad, [&]() HWY_ATTR {
  const V s = sigmoid(x);
  return hn::Mul(y, hn::Mul(s, hn::MulAdd(x, hn::Sub(num(1), s), num(1))));
}())
// The loss of sigmoid(x) against y, in the form that cannot overflow.
GONEURON_BINARY(sigmoid_binary_cross_entropy,
                hn::Add(hn::Sub(hn::IfThenZeroElse(hn::Lt(x, zero()), x), hn::Mul(x, y)),
                        hn::Log1p(d, exp(hn::Neg(hn::Abs(x))))))

#undef GONEURON_UNARY
#undef GONEURON_BINARY

struct NamedUnary {
  const char* name;
  UnaryRow row;
};
struct NamedBinary {
  const char* name;
  BinaryRow row;
};

UnaryRow find_unary(std::string_view op) {
  static constexpr NamedUnary table[] = {{"neg", row_neg},         {"exp", row_exp},
                                         {"log", row_log},         {"sqrt", row_sqrt},
                                         {"abs", row_abs},         {"sign", row_sign},
                                         {"square", row_square},   {"scale_shift", row_scale_shift},
                                         {"relu", row_relu},       {"elu", row_elu},
                                         {"sigmoid", row_sigmoid}, {"leaky_relu", row_leaky_relu},
                                         {"tanh", row_tanh},       {"gelu", row_gelu},
                                         {"silu", row_silu},       {"selu", row_selu}};
  for (const auto& entry : table)
    if (op == entry.name) return entry.row;
  return nullptr;
}

BinaryRow find_binary(std::string_view op) {
  static constexpr NamedBinary table[] = {
      {"add", row_add},
      {"sub", row_sub},
      {"mul", row_mul},
      {"div", row_div},
      {"maximum", row_maximum},
      {"minimum", row_minimum},
      {"greater", row_greater},
      {"greater_equal", row_greater_equal},
      {"equal", row_equal},
      {"relu_grad", row_relu_grad},
      {"leaky_relu_grad", row_leaky_relu_grad},
      {"sigmoid_grad", row_sigmoid_grad},
      {"tanh_grad", row_tanh_grad},
      {"elu_grad", row_elu_grad},
      {"selu_grad", row_selu_grad},
      {"gelu_grad", row_gelu_grad},
      {"silu_grad", row_silu_grad},
      {"sigmoid_binary_cross_entropy", row_sigmoid_binary_cross_entropy}};
  for (const auto& entry : table)
    if (op == entry.name) return entry.row;
  return nullptr;
}

/// Vectors of up to four rows at once; `f` works on references. Streamed stores need whole vectors
/// of memory: where p does not begin with one it is written as usual.
template <bool kStream, class F>
HWY_INLINE void update_loop(float* p, const float* g, float* m, float* v, i64 n, const F& f) {
  if constexpr (kStream)
    if (reinterpret_cast<std::uintptr_t>(p) % (lanes * sizeof(float)) != 0)
      return update_loop<false>(p, g, m, v, n, f);
  each_vector(n, [&](i64 i, auto load, auto store) HWY_ATTR {
    V a = load(p + i), b = m ? load(m + i) : zero(), c = v ? load(v + i) : zero();
    f(a, load(g + i), b, c);
    if (kStream && i + lanes <= n)
      hn::Stream(a, d, p + i);
    else
      store(a, p + i);
    if (m) store(b, m + i);
    if (v) store(c, v + i);
  });
}

/// A gradient scaled and kept within bounds; NaN stays.
template <class Step>
HWY_INLINE V clip(V grad, const Step& s) {
  grad = hn::Mul(grad, num(s.scale));
  return keep_nan(grad, hn::Min(hn::Max(grad, num(-s.bound)), num(s.bound)));
}

// PyTorch's order of operations: m.lerp(g), v b2 + g g (1 - b2), denominator sqrt(v) / sqrt(c2) +
// epsilon.
template <bool kClip, bool kStream>
void adam(float* p, const float* g, float* m, float* v, i64 n, const AdamStep& s) {
  const V b1 = num(1 - s.beta1), b2 = num(s.beta2), c2 = num(1 - s.beta2), size = num(-s.step_size);
  const V root = num(1 / s.correction2_sqrt), epsilon = num(s.epsilon), decay = num(s.weight_decay);
  const V keep = num(1 - s.learning_rate * s.weight_decay);
  const bool coupled = !s.decoupled && s.weight_decay != 0;
  update_loop<kStream>(p, g, m, v, n, [&](V& w, V grad, V& first, V& second) HWY_ATTR {
    if (kClip) grad = clip(grad, s);
    if (s.decoupled) w = hn::Mul(w, keep);
    if (coupled) grad = hn::MulAdd(w, decay, grad);
    first = hn::MulAdd(hn::Sub(grad, first), b1, first);
    second = hn::MulAdd(hn::Mul(grad, grad), c2, hn::Mul(second, b2));
    w = hn::MulAdd(size, quick_div(first, hn::MulAdd(quick_sqrt(second), root, epsilon)), w);
  });
}

template <bool kClip, bool kStream>
void sgd(float* p, const float* g, float* velocity, i64 n, const SgdStep& s) {
  const V rate = num(-s.learning_rate), momentum = num(s.momentum), decay = num(s.weight_decay);
  update_loop<kStream>(p, g, velocity, nullptr, n, [&](V& w, V grad, V& speed, V&) HWY_ATTR {
    if (kClip) grad = clip(grad, s);
    if (s.weight_decay != 0) grad = hn::MulAdd(w, decay, grad);
    if (velocity) {
      speed = hn::MulAdd(momentum, speed, grad);
      grad = s.nesterov ? hn::MulAdd(momentum, speed, grad) : speed;
    }
    w = hn::MulAdd(rate, grad, w);
  });
}

/// Rows of at most a vector, as those of a few classes are, in registers: while one waits for its
/// sum others are computed.
template <bool kLog, i64 kRows>
HWY_INLINE void softmax_short(const float* x, float* y, i64 n) {
  const auto here = hn::FirstN(d, static_cast<size_t>(n));
  V v[kRows], sum[kRows];
  for (i64 i = 0; i < kRows; ++i) {
    v[i] = hn::IfThenElse(here, hn::MaskedLoad(here, d, x + i * n),
                          num(-std::numeric_limits<float>::infinity()));
    v[i] = hn::Sub(v[i], hn::MaxOfLanes(d, v[i]));
  }
  for (i64 i = 0; i < kRows; ++i) {
    const V e = exp(v[i]);
    sum[i] = hn::SumOfLanes(d, e);
    if (!kLog) v[i] = e;
  }
  for (i64 i = 0; i < kRows; ++i)
    hn::BlendedStore(kLog ? hn::Sub(v[i], log(sum[i])) : hn::Div(v[i], sum[i]), here, d, y + i * n);
}

template <bool kLog>
void softmax_long(const float* x, float* y, i64 n) {
  const V low = num(-std::numeric_limits<float>::infinity());
  const auto here = [&](i64 i) HWY_ATTR {
    return hn::FirstN(d, static_cast<size_t>(std::min(lanes, n - i)));
  };
  const auto load = [&](i64 i) HWY_ATTR {
    return hn::IfThenElse(here(i), hn::MaskedLoad(here(i), d, x + i), low);
  };
  V top = low;  // a NaN in x reaches every output through the sum
  for (i64 i = 0; i < n; i += lanes) top = hn::Max(top, load(i));
  top = hn::MaxOfLanes(d, top);
  V sum = zero();
  for (i64 i = 0; i < n; i += lanes) {
    const V e = exp(hn::Sub(load(i), top));
    if (!kLog) hn::BlendedStore(e, here(i), d, y + i);
    sum = hn::Add(sum, e);
  }
  const float total = hn::GetLane(hn::SumOfLanes(d, sum));
  const V shift = num(kLog ? std::log(total) : 1 / total);
  for (i64 i = 0; i < n; i += lanes) {
    const V v = kLog ? hn::Sub(hn::Sub(load(i), top), shift)
                     : hn::Mul(hn::MaskedLoad(here(i), d, y + i), shift);
    hn::BlendedStore(v, here(i), d, y + i);
  }
}

template <bool kLog>
void softmax(const float* x, float* y, i64 rows, i64 n) {
  constexpr i64 together = 4;
  for (; n <= lanes && rows >= together; rows -= together, x += together * n, y += together * n)
    softmax_short<kLog, together>(x, y, n);
  for (; rows > 0; --rows, x += n, y += n)
    n <= lanes ? softmax_short<kLog, 1>(x, y, n) : softmax_long<kLog>(x, y, n);
}

void sum_columns(const float* x, i64 rows, i64 n, i64 stride, float* sums) {
  each_vector(n, [&](i64 j, auto load, auto store) HWY_ATTR {
    V s = load(sums + j);
    const float* from = x + j;
    for (i64 r = 0; r < rows; ++r, from += stride) s = hn::Add(s, load(from));
    store(s, sums + j);
  });
}

AdamRow find_adam(bool clipped, bool streaming) {
  if (streaming) return clipped ? adam<true, true> : adam<false, true>;
  return clipped ? adam<true, false> : adam<false, false>;
}
SgdRow find_sgd(bool clipped, bool streaming) {
  if (streaming) return clipped ? sgd<true, true> : sgd<false, true>;
  return clipped ? sgd<true, false> : sgd<false, false>;
}
SoftmaxRows find_softmax(bool log) { return log ? softmax<true> : softmax<false>; }

}  // namespace goneuron::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace goneuron::cpu {
namespace {
HWY_EXPORT(find_unary);
HWY_EXPORT(find_binary);
HWY_EXPORT(find_softmax);
HWY_EXPORT(find_adam);
HWY_EXPORT(find_sgd);
HWY_EXPORT(sum_columns);
}  // namespace

UnaryRow unary_row(std::string_view op) {
  choose_target();
  return HWY_DYNAMIC_DISPATCH(find_unary)(op);
}
BinaryRow binary_row(std::string_view op) {
  choose_target();
  return HWY_DYNAMIC_DISPATCH(find_binary)(op);
}
SoftmaxRows softmax_rows(bool log) {
  choose_target();
  return HWY_DYNAMIC_DISPATCH(find_softmax)(log);
}
AdamRow adam_row(bool clipped, bool streaming) {
  choose_target();
  return HWY_DYNAMIC_DISPATCH(find_adam)(clipped, streaming);
}
SgdRow sgd_row(bool clipped, bool streaming) {
  choose_target();
  return HWY_DYNAMIC_DISPATCH(find_sgd)(clipped, streaming);
}
ColumnSums column_sums() {
  choose_target();
  return &HWY_DYNAMIC_DISPATCH(sum_columns);
}

}  // namespace goneuron::cpu
#endif
