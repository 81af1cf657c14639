// greater(a, b), greater_equal(a, b), equal(a, b): 1 where it holds, else 0; they broadcast. Steps
// have no slope: no gradient flows back.
#include "ops/broadcast.h"

namespace goneuron::compare_op {

namespace {
struct Greater {
  static double apply(double a, double b) { return a > b ? 1 : 0; }
};
struct GreaterEqual {
  static double apply(double a, double b) { return a >= b ? 1 : 0; }
};
struct Equal {
  static double apply(double a, double b) { return a == b ? 1 : 0; }
};

constexpr Gradient flat = Gradient::stops("a comparison is 0 or 1");

template <class F>
OpDef compare(const char* name) {
  return {.name = name,
          .min_inputs = 2,
          .max_inputs = 2,
          .infer = infer_broadcast,
          .gradient = flat,
          .reference = broadcast_reference<F>,
          .in_place = any_input,
          .flops = elementwise_flops,
          .samples = samples_binary,
          .rejects = rejects_binary};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {compare<Greater>("greater"), compare<GreaterEqual>("greater_equal"),
                              compare<Equal>("equal")};
  return ops;
}

}  // namespace goneuron::compare_op
