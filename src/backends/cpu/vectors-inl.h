// The names that kernels have for Highway's: its namespace, the widest vector of floats, its tag
// and its number of lanes. Included once for each instruction set.
#if defined(GONEURON_VECTORS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef GONEURON_VECTORS_INL
#undef GONEURON_VECTORS_INL
#else
#define GONEURON_VECTORS_INL
#endif

#include <hwy/highway.h>

#include "goneuron/shape.h"

// Without Highway's attribute for functions, of which there are none here: clang refuses one for
// nothing.
namespace goneuron::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr D d;
constexpr i64 lanes = HWY_LANES(float);

}  // namespace goneuron::cpu::HWY_NAMESPACE

#endif
