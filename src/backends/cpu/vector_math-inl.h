// Elementary functions on vectors, shared by the kernels; included once for each instruction set.
// exp, log and tanh are Highway's; phi and exp_down are fitted polynomials.
#if defined(GONEURON_VECTOR_MATH_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef GONEURON_VECTOR_MATH_INL
#undef GONEURON_VECTOR_MATH_INL
#else
#define GONEURON_VECTOR_MATH_INL
#endif

#include <hwy/contrib/math/math-inl.h>

#include <cfloat>

#include "backends/cpu/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace goneuron::cpu::HWY_NAMESPACE {

/// Highway's functions flush NaN; a NaN must reach the loss to be found.
HWY_INLINE V keep_nan(V x, V y) { return hn::IfThenElse(hn::Eq(x, x), y, x); }
HWY_INLINE V num(float x) { return hn::Set(d, x); }

HWY_INLINE V exp(V x) { return keep_nan(x, hn::Exp(d, hn::Min(x, num(88.8F)))); }
HWY_INLINE V log(V x) {
  // log 0 = -inf, of a negative NaN.
  const V y = hn::Log(d, x);
  const V zero = hn::Zero(d);
  const V low = hn::IfThenElse(hn::Eq(x, zero), num(-HUGE_VALF), num(NAN));
  return keep_nan(
      x, hn::IfThenElse(hn::Gt(x, zero), hn::IfThenElse(hn::Eq(x, num(HUGE_VALF)), x, y), low));
}
HWY_INLINE V tanh(V x) { return keep_nan(x, hn::Tanh(d, hn::Max(num(-20), hn::Min(x, num(20))))); }
HWY_INLINE V sigmoid(V x) { return hn::Div(num(1), hn::Add(num(1), exp(hn::Neg(x)))); }
HWY_INLINE V expm1(V x) { return keep_nan(x, hn::Expm1(d, x)); }

template <class... Rest>
HWY_INLINE V horner(V x, float c) {
  (void)x;
  return num(c);
}
template <class... Rest>
HWY_INLINE V horner(V x, float c, Rest... rest) {
  return hn::MulAdd(horner(x, rest...), x, num(c));
}

/// The normal distribution's integral: 1/2 + x P(x^2) / Q(x^2), within 1e-8 before rounding.
HWY_INLINE V phi(V x) {
  const V a = hn::Abs(x), most = num(5.6F), b = hn::Min(a, most), u = hn::Mul(b, b);
  const V p = horner(u, 0.398942222F, 0.0343761271F, 0.00470725949F, 0.000173850717F,
                     6.35651308e-06F, 2.21451965e-08F);
  const V q =
      horner(u, 1.0F, 0.252833885F, 0.0289400961F, 0.0019129784F, 7.51018127e-05F, 1.18020709e-06F);
  const V half = num(0.5F), h = hn::IfThenElse(hn::Ge(a, most), half, hn::Div(hn::Mul(b, p), q));
  return keep_nan(x, hn::Add(half, hn::CopySign(h, x)));
}
/// exp for what is not above 88: 0 below -87, and NaN for NaN. Adding `whole` rounds to a whole
/// number, which is then the low bits.
HWY_INLINE V exp_down(V x) {
  const hn::RebindToSigned<D> di;
  const V whole = num(12582912.0F), y = hn::MulAdd(x, num(1.44269504F), whole);
  const V k = hn::Sub(y, whole);
  const V f = hn::NegMulAdd(k, num(-2.12194440e-4F), hn::NegMulAdd(k, num(0.693359375F), x));
  const V e =
      horner(f, 1.0F, 0.999999707F, 0.499991492F, 0.166676366F, 0.0418979754F, 0.00829030611F);
  const auto scaled = hn::Add(hn::BitCast(di, e), hn::ShiftLeft<23>(hn::BitCast(di, y)));
  return hn::IfThenZeroElse(hn::Lt(x, num(-87)), hn::BitCast(d, scaled));
}

/// The square root of x >= 0, and x / y of y > 0, within two roundings, for loops that would wait
/// for the divider otherwise: where there are approximations of 14 bits, those and a step of
/// Newton's method. What is smaller than the normal numbers counts as the least of them, a quotient
/// by more than 2^126 is 0 where denormals are flushed, and NaN stays: Max and Min give their
/// second operand then.
HWY_INLINE V quick_sqrt(V x) {
#if HWY_TARGET <= HWY_AVX3
  x = hn::Max(num(FLT_MIN), x);
  const V y = hn::ApproximateReciprocalSqrt(x), s = hn::Mul(x, y);
  const V root = hn::MulAdd(hn::NegMulAdd(s, y, num(1)), hn::Mul(s, num(0.5F)), s);
  return hn::IfThenElse(hn::Lt(x, num(HUGE_VALF)), root, x);
#else
  return hn::Sqrt(x);
#endif
}
HWY_INLINE V quick_div(V x, V y) {
#if HWY_TARGET <= HWY_AVX3
  y = hn::Min(num(FLT_MAX), hn::Max(num(FLT_MIN), y));
  const V z = hn::ApproximateReciprocal(y);
  return hn::Mul(x, hn::MulAdd(hn::NegMulAdd(y, z, num(1)), z, z));
#else
  return hn::Div(x, y);
#endif
}

constexpr float selu_scale = 1.0507009873554805F, selu_alpha = 1.6732632423543772F;

}  // namespace goneuron::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
