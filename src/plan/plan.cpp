#include "plan/plan.h"

#include "graph/passes/cleanup.h"
#include "graph/passes/fuse.h"
#include "graph/passes/split_batch_norm.h"

namespace goneuron {

double node_flops(const Graph& graph, const Node& node) {
  if (node.op->flops == nullptr) return 0;
  std::vector<TensorType> in, out;
  for (const ValueId id : node.inputs) in.push_back(graph.value(id).type);
  for (const ValueId id : node.outputs) out.push_back(graph.value(id).type);
  return node.op->flops(in, out, node.attrs);
}

Plan make_plan(Graph graph, const Backend& backend) {
  Plan plan{.graph = std::move(graph)};
  drop_dead_nodes(plan.graph);
  sort_nodes(plan.graph);
  const auto supports = [&](const Graph& g, const Node& n) { return backend.supports(g, n); };
  fuse(plan.graph, supports);
  split_batch_norm(plan.graph, supports);
  for (const Node& node : plan.graph.nodes) plan.flops += node_flops(plan.graph, node);
  choose_tiles(plan, backend);
  schedule(plan);
  plan_memory(plan);
  return plan;
}

}  // namespace goneuron
