#include "graph/passes/split_batch_norm.h"

#include <algorithm>

#include "graph/op_def.h"
#include "graph/passes/cleanup.h"

namespace goneuron {

namespace {

class Splitter {
 public:
  Splitter(Graph& graph, const Supports& supports) : graph_(graph), supports_(supports) {}

  void run() {
    const size_t count = graph_.nodes.size();
    for (size_t n = 0; n < count; ++n) {
      const Node node = graph_.nodes[n];
      const std::string_view name = node.op->name;
      const bool forward = name == "batch_norm";
      if ((!forward && name != "batch_norm_grad") || supports_(graph_, node)) continue;
      const size_t nodes = graph_.nodes.size(), values = graph_.values.size();
      whole_ = true;
      const auto made = forward ? statistics(node) : gradients(node);
      if (whole_) {
        for (size_t k = 0; k < made.size(); ++k) replace(node.outputs[k], made[k]);
      } else {
        graph_.nodes.resize(nodes);
        graph_.values.resize(values);
      }
    }
    drop_dead_nodes(graph_);
    sort_nodes(graph_);
  }

 private:
  std::vector<ValueId> add(const char* op, std::vector<ValueId> inputs, Attrs attrs,
                           const Node& like) {
    const NodeId n = graph_.add(op_named(op), std::move(inputs), std::move(attrs), &like);
    const Node& made = graph_.nodes[static_cast<size_t>(n)];
    whole_ = whole_ && supports_(graph_, made);
    return made.outputs;
  }

  /// y, mean and variance, in two passes over x: no difference of large sums.
  std::vector<ValueId> statistics(const Node& node) {
    const ValueId x = node.inputs[0];
    std::vector<i64> axes;
    for (i64 i = 0; i + 1 < graph_.value(x).type.shape.rank(); ++i) axes.push_back(i);
    const ValueId mean = add("mean", {x}, {{"axes", axes}, {"keep", i64{0}}}, node)[0];
    const ValueId var = add("batch_norm_var", {x, mean}, node.attrs, node)[0];
    const ValueId y = add("batch_norm_infer", {x, node.inputs[1], node.inputs[2], mean, var},
                          node.attrs, node)[0];
    return {y, mean, var};
  }

  /// dx, dgamma and dbeta.
  std::vector<ValueId> gradients(const Node& node) {
    const ValueId x = node.inputs[0], gamma = node.inputs[1], mean = node.inputs[2],
                  var = node.inputs[3], dy = node.inputs[4];
    const auto sums = add("batch_norm_weight_grad", {x, mean, var, dy}, node.attrs, node);
    const ValueId dx = add("batch_norm_input_grad", {x, gamma, mean, var, dy, sums[0], sums[1]},
                           node.attrs, node)[0];
    return {dx, sums[0], sums[1]};
  }

  void replace(ValueId old, ValueId fresh) {
    for (Node& node : graph_.nodes)
      std::replace(node.inputs.begin(), node.inputs.end(), old, fresh);
    std::replace(graph_.outputs.begin(), graph_.outputs.end(), old, fresh);
    for (Value& value : graph_.values)
      if (value.alias_of == old) value.alias_of = fresh;
    graph_.value(fresh).gradient_of = graph_.value(old).gradient_of;
  }

  Graph& graph_;
  const Supports& supports_;
  bool whole_ = true;  // the backend has kernels for all parts
};

}  // namespace

void split_batch_norm(Graph& graph, const Supports& supports) { Splitter(graph, supports).run(); }

}  // namespace goneuron
