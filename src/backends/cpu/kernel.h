// KernelDef: a row of the cpu backend's table: which op, how it may be cut, how it is bound.
// Each kernel file returns its rows; cpu_backend.cpp lists the files.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/checked_math.h"
#include "plan/backend.h"

namespace goneuron::cpu {

struct KernelDef {
  const char* op;
  bool (*supports)(const Graph&, const Node&);  // null: every node whose floats are f32
  std::vector<Scheme> (*schemes)(const Graph&, const Node&);
  Call (*lower)(const BoundNode&);
};

std::span<const KernelDef> matmul_kernels();
std::span<const KernelDef> elementwise_kernels();
std::span<const KernelDef> update_kernels();
std::span<const KernelDef> loss_kernels();
std::span<const KernelDef> reduce_kernels();
std::span<const KernelDef> conv_pool_kernels();
std::span<const KernelDef> conv2d_kernels();
std::span<const KernelDef> conv2d_weight_grad_kernels();
std::span<const KernelDef> batch_norm_kernels();
std::span<const KernelDef> dropout_kernels();
std::span<const KernelDef> maxpool2d_kernels();
std::span<const KernelDef> avgpool2d_kernels();
std::span<const KernelDef> concat_kernels();

/// The numbers of tiles worth trying in this graph: powers of two, and the heights of its images
/// (so that steps before and after a flatten can share one cut). A function of the graph alone.
std::vector<i64> tile_counts(const Graph& graph);

/// The memory of a range of tiles of a tensor cut along an axis: pieces that lie `stride` apart.
struct Pieces {
  i64 outer = 1, stride = 0;
  i64 units = 1, unit = 0;  // what is shared among the tiles, and its elements
  i64 tiles = 1;
  /// Calls f(offset, count) for each piece of tiles [begin, end).
  template <class F>
  void each(i64 begin, i64 end, const F& f) const {
    const i64 from = tile_begin(units, tiles, begin) * unit,
              to = tile_begin(units, tiles, end) * unit;
    for (i64 o = 0; o < outer; ++o) f(o * stride + from, to - from);
  }
};
inline Pieces pieces_of(const Shape& shape, int axis, i64 tiles) {
  if (tiles == 1) return {1, 0, 1, shape.elements(), 1};
  Pieces pieces{1, 0, shape[axis], 1, tiles};
  for (int i = 0; i < axis; ++i) pieces.outer *= shape[i];
  for (int i = axis + 1; i < shape.rank(); ++i) pieces.unit *= shape[i];
  pieces.stride = pieces.units * pieces.unit;
  return pieces;
}

/// Cuts of a node along the first two axes of its output, with inputs of its shape cut alike.
std::vector<Scheme> elementwise_schemes(const Graph& graph, const Node& node);

/// A call of `run(const Args&, begin, end, scratch)` on arguments kept alive by the call.
template <class Args>
Call make_call(Args args, void (*run)(const Args&, i64, i64, void*)) {
  struct Held {
    Args args;
    void (*run)(const Args&, i64, i64, void*);
  };
  return {[](const void* held, i64 begin, i64 end, void* scratch) noexcept {
            const auto& call = *static_cast<const Held*>(held);
            call.run(call.args, begin, end, scratch);
          },
          std::make_shared<const Held>(Held{std::move(args), run})};
}

/// Product of all dimensions but the last; the last.
inline i64 rows_of(const Shape& shape) {
  return shape.rank() == 0 ? 1 : shape.elements() / std::max<i64>(shape[-1], 1);
}
inline i64 columns_of(const Shape& shape) { return shape.rank() == 0 ? 1 : shape[-1]; }

}  // namespace goneuron::cpu
