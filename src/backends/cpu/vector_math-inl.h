// Elementary functions on vectors, shared by the kernels; included once for each instruction set.
// exp, log and tanh are Highway's; erf is two polynomials fitted to 1e-7, below 1 in x^2, above it
// in log erfc.
#if defined(GONEURON_VECTOR_MATH_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef GONEURON_VECTOR_MATH_INL
#undef GONEURON_VECTOR_MATH_INL
#else
#define GONEURON_VECTOR_MATH_INL
#endif

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace goneuron::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr D d;

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

HWY_INLINE V erf(V x) {
  const V a = hn::Min(hn::Abs(x), num(4.1F));
  const V small =
      hn::Mul(x, horner(hn::Mul(x, x), 1.128379225730896F, -0.37612637877464294F,
                        0.11283782869577408F, -0.026865437626838684F, 0.005221053492277861F,
                        -0.0008484396385028958F, 0.00011268253729213029F, -9.673590284364764e-06F));
  const V tail = horner(a, 0.0003499792073853314F, -1.1303925514221191F, -0.6314700841903687F,
                        -0.11052094399929047F, 0.026755839586257935F, -0.004921840038150549F,
                        0.000647213775664568F, -5.577210686169565e-05F, 2.694132945180172e-06F,
                        -4.962086208593064e-08F);
  const V large = hn::CopySign(hn::Sub(num(1), hn::Exp(d, tail)), x);
  return keep_nan(x, hn::IfThenElse(hn::Lt(a, num(1)), small, large));
}
/// The normal distribution's integral.
HWY_INLINE V phi(V x) {
  return hn::Mul(num(0.5F), hn::Add(num(1), erf(hn::Mul(x, num(0.70710678F)))));
}

constexpr float selu_scale = 1.0507009873554805F, selu_alpha = 1.6732632423543772F;

}  // namespace goneuron::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
