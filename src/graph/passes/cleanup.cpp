#include "graph/passes/cleanup.h"

#include <queue>

#include "core/message.h"
#include "graph/op_def.h"
#include "graph/order.h"

namespace goneuron {

namespace {
void renumber(Graph& graph, const std::vector<NodeId>& order) {
  std::vector<Node> nodes;
  nodes.reserve(order.size());
  for (Value& value : graph.values) value.producer = -1;
  for (const NodeId old : order) {
    nodes.push_back(std::move(graph.nodes[static_cast<size_t>(old)]));
    for (const ValueId id : nodes.back().outputs)
      graph.value(id).producer = static_cast<NodeId>(nodes.size()) - 1;
  }
  graph.nodes = std::move(nodes);
}
}  // namespace

void drop_dead_nodes(Graph& graph) {
  std::vector<bool> live(graph.nodes.size(), false);
  std::vector<NodeId> stack;
  const auto mark = [&](NodeId node) {
    if (node >= 0 && !live[static_cast<size_t>(node)]) {
      live[static_cast<size_t>(node)] = true;
      stack.push_back(node);
    }
  };
  for (const ValueId id : graph.outputs) mark(graph.value(id).producer);
  for (size_t n = 0; n < graph.nodes.size(); ++n)
    if (graph.nodes[n].op->mutates) mark(static_cast<NodeId>(n));
  while (!stack.empty()) {
    const Node& node = graph.nodes[static_cast<size_t>(stack.back())];
    stack.pop_back();
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (!(node.op->shape_only >> i & 1)) mark(graph.value(node.inputs[i]).producer);
  }
  std::vector<NodeId> order;
  for (size_t n = 0; n < graph.nodes.size(); ++n)
    if (live[n]) order.push_back(static_cast<NodeId>(n));
  renumber(graph, order);
}

void sort_nodes(Graph& graph) {
  const auto before = dependencies(graph);
  std::vector<int> waiting(graph.nodes.size());
  std::vector<std::vector<NodeId>> after(graph.nodes.size());
  std::priority_queue<NodeId, std::vector<NodeId>, std::greater<>> ready;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    waiting[n] = static_cast<int>(before[n].size());
    for (const NodeId earlier : before[n])
      after[static_cast<size_t>(earlier)].push_back(static_cast<NodeId>(n));
    if (before[n].empty()) ready.push(static_cast<NodeId>(n));
  }
  std::vector<NodeId> order;
  while (!ready.empty()) {
    const NodeId node = ready.top();
    ready.pop();
    order.push_back(node);
    for (const NodeId later : after[static_cast<size_t>(node)])
      if (--waiting[static_cast<size_t>(later)] == 0) ready.push(later);
  }
  if (order.size() != graph.nodes.size())
    throw_graph({.what = "the graph has a cycle", .hint = "build it from symbols only"});
  renumber(graph, order);
}

}  // namespace goneuron
