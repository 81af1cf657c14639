#include "backends/cpu/cpu_backend.h"

#include <hwy/targets.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "backends/cpu/kernel.h"

namespace goneuron {

namespace cpu {

std::vector<i64> tile_counts(const Graph& graph) {
  std::vector<i64> counts = {2, 4, 8, 16};
  for (const Node& node : graph.nodes)
    for (const ValueId id : node.outputs)
      if (const Shape& shape = graph.value(id).type.shape;
          shape.rank() == 4 && shape[1] >= 4 && shape[1] <= 32)
        counts.push_back(shape[1]);
  std::sort(counts.begin(), counts.end());
  counts.erase(std::unique(counts.begin(), counts.end()), counts.end());
  return counts;
}

}  // namespace cpu

namespace {

class CpuBackend : public Backend {
 public:
  CpuBackend() {
    for (const cpu::KernelDef& kernel : cpu::kernel_table()) kernels_.emplace(kernel.op, kernel);
  }

  std::string name() const override { return "cpu"; }
  std::string info() const override {
    const auto targets = hwy::SupportedTargets() & HWY_TARGETS;
    const auto best = targets & -targets;  // the lowest bit is the widest set
    return std::string("SIMD kernels, ") + hwy::TargetName(best);
  }

  bool supports(const Graph& graph, const Node& node) const override {
    if (node.op->alias) return true;
    const auto* kernel = find(node);
    return kernel && all_f32(graph, node) && (!kernel->supports || kernel->supports(graph, node));
  }
  std::vector<Scheme> schemes(const Graph& graph, const Node& node) const override {
    const auto* kernel = find(node);
    if (!kernel || !kernel->schemes) return {single_tile(node)};
    return kernel->schemes(graph, node);
  }
  Call lower(const BoundNode& node) const override { return find(node.node)->lower(node); }
  bool runs_together(const Graph& graph, const Node& first, const Scheme& scheme,
                     const Node& second) const override {
    return find(second)->follower && find(first)->leads && find(first)->leads(graph, first, scheme);
  }
  Call lower_together(const BoundNode& first, const BoundNode& second) const override {
    return find(first.node)->lower_leading(first, find(second.node)->follower(second));
  }

 private:
  const cpu::KernelDef* find(const Node& node) const {
    const auto at = kernels_.find(node.op->name);
    return at == kernels_.end() ? nullptr : &at->second;
  }
  static bool all_f32(const Graph& graph, const Node& node) {
    const auto fits = [&](ValueId id) {
      const DType dtype = graph.value(id).type.dtype;
      return !is_floating(dtype) || dtype == DType::f32;
    };
    return std::all_of(node.inputs.begin(), node.inputs.end(), fits) &&
           std::all_of(node.outputs.begin(), node.outputs.end(), fits);
  }

  std::map<std::string_view, cpu::KernelDef> kernels_;
};

}  // namespace

const Backend& cpu_backend() {
  static const CpuBackend backend;
  return backend;
}

}  // namespace goneuron
