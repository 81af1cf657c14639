// GRU over a sequence and its gradient, cut by rows of the batch: a worker takes its rows through
// all steps.
#include "backends/cpu/recurrent_kernel.h"

namespace goneuron::cpu::gru_sequence_kernel {

namespace {

std::vector<Scheme> schemes(const Graph& graph, const Node& node) {
  return sequence_schemes(graph, node, {2, 3, 0b11110, graph.in_shape(node, 1)[0]});
}
std::vector<Scheme> grad_schemes(const Graph& graph, const Node& node) {
  return sequence_schemes(graph, node, {3, 3, 0b1000});
}

Call lower(const BoundNode& bound) {
  GruForward f;
  set_sequence(bound, 2, f);
  OptionalInputs next(bound, 5);
  f.x = bound.input(0);
  f.w_ih = bound.input(1);
  f.in = bound.in_shape(1)[0];
  f.bias = bound.input(3);
  f.bias_hn = bound.input(4);
  f.h0 = next("state");
  f.mask = next("masked");
  f.acts = bound.output(0);
  f.y = output_if_read(bound, 1);
  f.h_last = output_if_read(bound, 2);
  f.products = output_if_read(bound, 3);
  f.h_before = output_if_read(bound, 4);
  return sequence_call(bound, f, gru_forward());
}

Call lower_grad(const BoundNode& bound) {
  GruBackward b;
  set_sequence(bound, 3, b);
  OptionalInputs next(bound, 4);
  b.acts = bound.input(0);
  b.products = bound.input(1);
  b.h_before = bound.input(2);
  b.mask = next("masked");
  b.dy = next("dy");
  b.dh_last = next("dh");
  b.dgates = bound.output(0);
  b.dproducts = bound.output(1);
  b.dh0 = output_if_read(bound, 2);
  return sequence_call(bound, b, gru_backward());
}

constexpr KernelDef kernels[] = {{"gru_sequence", nullptr, schemes, lower},
                                 {"gru_sequence_grad", nullptr, grad_schemes, lower_grad}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::gru_sequence_kernel
