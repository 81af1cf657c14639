#include "plan/plan.h"

#include "core/memory.h"
#include "core/message.h"
#include "graph/passes/cleanup.h"
#include "graph/passes/fuse.h"
#include "graph/passes/fuse_batch_norm.h"
#include "graph/passes/split_batch_norm.h"

namespace goneuron {

double node_flops(const Graph& graph, const Node& node) {
  if (node.op->flops == nullptr) return 0;
  std::vector<TensorType> in, out;
  for (const ValueId id : node.inputs) in.push_back(graph.value(id).type);
  for (const ValueId id : node.outputs) out.push_back(graph.value(id).type);
  return node.op->flops(in, out, node.attrs);
}

namespace {
/// What is live by the order of nodes is a little less than what a layout needs, which also knows
/// of workers that run ahead: so the aim is lowered until the layout fits.
Plan within(const Plan& tiled, i64 budget) {
  Plan best;
  i64 aim = budget, kept = 0;
  for (int attempt = 0; attempt < 8; ++attempt) {
    Plan plan = attempt == 0 ? tiled : recompute(tiled, aim);
    if (attempt == 0)
      schedule(plan);
    else
      schedule(plan, std::min(usual_patience, budget / 32), true);
    plan_memory(plan);
    if (attempt == 0) kept = plan.live_bytes;
    plan.kept_live_bytes = kept;
    if (attempt == 0 || plan.activation_bytes < best.activation_bytes) best = std::move(plan);
    if (best.activation_bytes <= budget) return best;
    if (attempt > 0) aim = aim / 10 * 9;
  }
  throw_memory({.what = "the activations of a training step need " + bytes_text(kept) + ", and " +
                        bytes_text(best.activation_bytes) +
                        " when what can be is computed again; expected at most the budget of " +
                        bytes_text(budget),
                .hint = "raise .activation_budget, or train with a smaller batch"});
}
}  // namespace

Graph fused(Graph graph, const Backend& backend) {
  drop_dead_nodes(graph);
  sort_nodes(graph);
  const auto supports = [&](const Graph& g, const Node& n) { return backend.supports(g, n); };
  fuse(graph, supports);
  split_batch_norm(graph, supports);
  fuse_batch_norm(graph, supports);
  return graph;
}

Plan make_plan(Graph graph, const Backend& backend, i64 activation_budget) {
  Plan plan{.graph = fused(std::move(graph), backend)};
  for (const Node& node : plan.graph.nodes) plan.flops += node_flops(plan.graph, node);
  choose_tiles(plan, backend);
  if (activation_budget > 0) return within(plan, activation_budget);
  schedule(plan);
  plan_memory(plan);
  return plan;
}

}  // namespace goneuron
