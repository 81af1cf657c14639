// BroadcastWalk: the output of a broadcasting node as runs along which each operand either lies one
// element behind another or repeats one element; and the kernels made of it.
#pragma once

#include <algorithm>

#include "backends/cpu/kernel.h"

namespace goneuron::cpu {

template <int kOperands>
struct BroadcastWalk {
  int rank = 0;
  i64 dims[Shape::max_rank] = {};  // the innermost first; neighbours joined where they can
  i64 steps[kOperands][Shape::max_rank] = {};  // of each operand along them

  /// Adds the next axis outwards.
  void add(i64 dim, const i64 (&step)[kOperands]) {
    if (dim == 1) return;
    bool joins = rank > 0;
    for (int k = 0; joins && k < kOperands; ++k)
      joins = step[k] == steps[k][rank - 1] * dims[rank - 1];
    if (joins) {
      dims[rank - 1] *= dim;
      return;
    }
    dims[rank] = dim;
    for (int k = 0; k < kOperands; ++k) steps[k][rank] = step[k];
    ++rank;
  }
  void finish() {
    if (rank == 0) dims[rank++] = 1;
  }

  /// Calls f(at, offsets, n) for the runs of output elements [from, to).
  template <class F>
  void each(i64 from, i64 to, const F& f) const {
    i64 index[Shape::max_rank], offsets[kOperands] = {};
    i64 rest = from;
    for (int i = 0; i < rank; ++i) {
      index[i] = rest % dims[i];
      rest /= dims[i];
      for (int k = 0; k < kOperands; ++k) offsets[k] += index[i] * steps[k][i];
    }
    while (from < to) {
      const i64 n = std::min(dims[0] - index[0], to - from);
      f(from, offsets, n);
      from += n;
      index[0] += n;
      for (int k = 0; k < kOperands; ++k) offsets[k] += n * steps[k][0];
      for (int i = 0; i + 1 < rank && index[i] == dims[i]; ++i) {
        index[i] = 0;
        ++index[i + 1];
        for (int k = 0; k < kOperands; ++k) offsets[k] += steps[k][i + 1] - dims[i] * steps[k][i];
      }
    }
  }
};

/// Steps of operands of `shapes` along `out`, to which they broadcast.
template <int kOperands>
BroadcastWalk<kOperands> broadcast_walk(const Shape& out, const Shape (&shapes)[kOperands]) {
  BroadcastWalk<kOperands> walk;
  i64 next[kOperands];
  std::fill(std::begin(next), std::end(next), 1);
  for (int i = 1; i <= out.rank(); ++i) {
    i64 step[kOperands];
    for (int k = 0; k < kOperands; ++k) {
      const i64 dim = i <= shapes[k].rank() ? shapes[k][-i] : 1;
      step[k] = dim == 1 ? 0 : next[k];
      next[k] *= dim;
    }
    walk.add(out[-i], step);
  }
  walk.finish();
  return walk;
}

/// Pieces of an output that elementwise_schemes cut.
inline Pieces elementwise_pieces(const BoundNode& bound) {
  return pieces_of(bound.out_shape(), std::string_view(bound.scheme.name) == "columns" ? 1 : 0,
                   bound.scheme.tiles);
}

/// A binary elementwise op whose operands broadcast in any way.
Call lower_broadcast_binary(const BoundNode& bound);

}  // namespace goneuron::cpu
