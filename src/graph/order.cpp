#include "graph/order.h"

#include <algorithm>

#include "graph/op_def.h"

namespace goneuron {

std::vector<std::vector<NodeId>> dependencies(const Graph& graph) {
  std::vector<std::vector<NodeId>> before(graph.nodes.size());
  std::vector<std::vector<NodeId>> readers(graph.values.size());  // by root
  for (size_t n = 0; n < graph.nodes.size(); ++n)
    for (size_t i = 0; i < graph.nodes[n].inputs.size(); ++i)
      if (!(graph.nodes[n].op->shape_only >> i & 1))
        readers[static_cast<size_t>(graph.root(graph.nodes[n].inputs[i]))].push_back(
            static_cast<NodeId>(n));
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
      for (size_t i = 0; i < node.inputs.size(); ++i)
        if (node.op->mutates >> i & 1)
          for (const NodeId reader : readers[static_cast<size_t>(graph.root(node.inputs[i]))])
            // Two mutations of one variable keep their order; plain readers all come first.
            if (reader != static_cast<NodeId>(n) &&
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
