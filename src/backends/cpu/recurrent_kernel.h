// How the recurrent kernels are cut and bound: used by kernels/lstm_sequence.cpp and
// kernels/gru_sequence.cpp.
#pragma once

#include <algorithm>

#include "backends/cpu/kernel.h"
#include "backends/cpu/recurrent.h"

namespace goneuron::cpu {

struct SequenceCut {
  size_t weight;  // the input that is the recurrent weight
  i64 gates;
  unsigned whole;  // bit i: every tile reads all of input i
  i64 in = 0;      // features of the forward pass's input
};
/// By rows of the batch, at least 16 each.
std::vector<Scheme> sequence_schemes(const Graph& graph, const Node& node, const SequenceCut& how);

/// The sizes, flags and weight of a pass; not its mask.
void set_sequence(const BoundNode& bound, size_t weight, Sequence& sequence);

/// The inputs that are there only when their flag is 1, in order from input `next` on.
class OptionalInputs {
 public:
  OptionalInputs(const BoundNode& bound, size_t next) : bound_(bound), next_(next) {}
  const float* operator()(const char* flag) {
    return bound_.node.attrs.integer(flag, 0) ? bound_.input(next_++) : nullptr;
  }

 private:
  const BoundNode& bound_;
  size_t next_;
};

/// Null when no node reads the output and the graph does not return it: it need not be written.
float* output_if_read(const BoundNode& bound, size_t i);

template <class Pass>
struct SequenceArgs {
  Pass pass;
  SequenceKernel<Pass> kernel;
  i64 batch, tiles;
};
template <class Pass>
Call sequence_call(const BoundNode& bound, const Pass& pass, SequenceKernel<Pass> kernel) {
  const SequenceArgs<Pass> args{pass, kernel, bound.in_shape(0)[0], bound.scheme.tiles};
  return make_call(
      args, +[](const SequenceArgs<Pass>& a, i64 begin, i64 end, void* scratch) {
        a.kernel(a.pass, tile_begin(a.batch, a.tiles, begin), tile_begin(a.batch, a.tiles, end),
                 scratch);
      });
}

}  // namespace goneuron::cpu
