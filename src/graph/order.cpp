#include "graph/order.h"

#include <algorithm>

#include "graph/op_def.h"

namespace goneuron {

namespace {
/// The node that wrote the variable as `id` shows it; -1 for what it was before the step.
NodeId writer_of(const Graph& graph, ValueId id) {
  for (; id >= 0; id = graph.value(id).alias_of)
    if (const NodeId maker = graph.value(id).producer;
        maker >= 0 && graph.nodes[static_cast<size_t>(maker)].op->mutates)
      return maker;
  return -1;
}
}  // namespace

std::vector<bool> before_guards(const Graph& graph) {
  std::vector<bool> needed(graph.nodes.size());
  std::vector<NodeId> stack;
  const auto need = [&](const Node& node) {
    for (const ValueId id : node.inputs)
      if (const NodeId maker = graph.value(id).producer;
          maker >= 0 && !needed[static_cast<size_t>(maker)]) {
        needed[static_cast<size_t>(maker)] = true;
        stack.push_back(maker);
      }
  };
  for (const Node& node : graph.nodes)
    if (node.op->guards) need(node);
  while (!stack.empty()) {
    const NodeId next = stack.back();
    stack.pop_back();
    need(graph.nodes[static_cast<size_t>(next)]);
  }
  return needed;
}

std::vector<std::vector<NodeId>> dependencies(const Graph& graph) {
  std::vector<std::vector<NodeId>> before(graph.nodes.size());
  // By root: who reads it, and who wrote what is read.
  std::vector<std::vector<std::pair<NodeId, NodeId>>> readers(graph.values.size());
  for (size_t n = 0; n < graph.nodes.size(); ++n)
    for (size_t i = 0; i < graph.nodes[n].inputs.size(); ++i)
      if (!(graph.nodes[n].op->shape_only >> i & 1))
        readers[static_cast<size_t>(graph.root(graph.nodes[n].inputs[i]))].emplace_back(
            static_cast<NodeId>(n), writer_of(graph, graph.nodes[n].inputs[i]));
  std::vector<NodeId> guards;
  for (size_t n = 0; n < graph.nodes.size(); ++n)
    if (graph.nodes[n].op->guards) guards.push_back(static_cast<NodeId>(n));
  const auto needed = before_guards(graph);
  const NodeId loss = graph.outputs.empty() ? -1 : graph.value(graph.outputs[0]).producer;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    auto& list = before[n];
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (!(node.op->shape_only >> i & 1) && graph.value(node.inputs[i]).producer >= 0)
        list.push_back(graph.value(node.inputs[i]).producer);
    for (const ValueId id : node.after)
      if (graph.value(id).producer >= 0) list.push_back(graph.value(id).producer);
    if (node.op->mutates) {
      if (loss >= 0 && loss != static_cast<NodeId>(n)) list.push_back(loss);
      if (!needed[n]) list.insert(list.end(), guards.begin(), guards.end());
      for (size_t i = 0; i < node.inputs.size(); ++i)
        if (node.op->mutates >> i & 1)
          for (const auto& [reader, writer] :
               readers[static_cast<size_t>(graph.root(node.inputs[i]))])
            // Two mutations of one variable keep their order; readers of what it was come first.
            if (reader != static_cast<NodeId>(n) && writer < static_cast<NodeId>(n) &&
                (!graph.nodes[static_cast<size_t>(reader)].op->mutates ||
                 reader < static_cast<NodeId>(n)))
              list.push_back(reader);
    }
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
  }
  return before;
}

}  // namespace goneuron
