// LSTM over a sequence and its gradient, cut by rows of the batch: a worker takes its rows through
// all steps.
#include "backends/cpu/recurrent_kernel.h"

namespace goneuron::cpu::lstm_sequence_kernel {

namespace {

std::vector<Scheme> schemes(const Graph& graph, const Node& node) {
  return sequence_schemes(graph, node, {2, 4, 0b1110, graph.in_shape(node, 1)[0]});
}
std::vector<Scheme> grad_schemes(const Graph& graph, const Node& node) {
  return sequence_schemes(graph, node, {2, 4, 0b100});
}

Call lower(const BoundNode& bound) {
  LstmForward f;
  set_sequence(bound, 2, f);
  OptionalInputs next(bound, 4);
  f.x = bound.input(0);
  f.w_ih = bound.input(1);
  f.in = bound.in_shape(1)[0];
  f.bias = bound.input(3);
  f.h0 = next("state");
  f.c0 = next("state");
  f.mask = next("masked");
  f.acts = bound.output(0);
  f.y = output_if_read(bound, 1);
  f.h_last = output_if_read(bound, 2);
  f.c_last = output_if_read(bound, 3);
  f.cells = output_if_read(bound, 4);
  f.operands = output_if_read(bound, 5);
  return sequence_call(bound, f, lstm_forward());
}

Call lower_grad(const BoundNode& bound) {
  LstmBackward b;
  set_sequence(bound, 2, b);
  OptionalInputs next(bound, 3);
  b.acts = bound.input(0);
  b.cells = bound.input(1);
  b.c0 = next("state");
  b.mask = next("masked");
  b.dy = next("dy");
  b.dh_last = next("dh");
  b.dc_last = next("dc");
  b.dgates = bound.output(0);
  b.dh0 = output_if_read(bound, 1);
  b.dc0 = output_if_read(bound, 2);
  return sequence_call(bound, b, lstm_backward());
}

constexpr KernelDef kernels[] = {{"lstm_sequence", nullptr, schemes, lower},
                                 {"lstm_sequence_grad", nullptr, grad_schemes, lower_grad}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::lstm_sequence_kernel
