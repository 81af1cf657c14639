// Powers with a constant exponent, by the standard library: squares and roots are ops of their own.
#include <cmath>

#include "backends/cpu/broadcast.h"

namespace goneuron::cpu::pow_kernel {

namespace {

struct Args {
  const float* x;
  float* y;
  float exponent;
  Pieces pieces;
};

void run(const Args& a, i64 begin, i64 end, void*) {
  a.pieces.each(begin, end, [&](i64 from, i64 count) {
    for (i64 i = from; i < from + count; ++i) a.y[i] = std::pow(a.x[i], a.exponent);
  });
}

Call lower(const BoundNode& bound) {
  return make_call<Args>(
      {bound.input(0), bound.output(), static_cast<float>(bound.node.attrs.real("exponent")),
       elementwise_pieces(bound)},
      run);
}

bool supports(const Graph& graph, const Node& node) { return graph.out_shape(node).elements() > 0; }

constexpr KernelDef kernels[] = {{"pow", supports, elementwise_schemes, lower}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::pow_kernel
