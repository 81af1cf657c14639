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

/// The numbers of tiles worth trying in this graph: powers of two, and the heights of its images
/// (so that steps before and after a flatten can share one cut). A function of the graph alone.
std::vector<i64> tile_counts(const Graph& graph);

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
