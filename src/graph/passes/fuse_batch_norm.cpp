#include "graph/passes/fuse_batch_norm.h"

#include <algorithm>

#include "graph/op_def.h"
#include "graph/passes/cleanup.h"

namespace goneuron {

namespace {

class Fuser {
 public:
  Fuser(Graph& graph, const Supports& supports) : graph_(graph), supports_(supports) {}

  void run() {
    const auto count = static_cast<NodeId>(graph_.nodes.size());
    for (NodeId n = 0; n < count; ++n)
      if (name(n) == "relu") forward(n);
    drop_dead_nodes(graph_);
    sort_nodes(graph_);
  }

 private:
  const Node& node(NodeId n) const { return graph_.nodes[static_cast<size_t>(n)]; }
  std::string_view name(NodeId n) const { return n < 0 ? "" : node(n).op->name; }

  std::vector<NodeId> users(ValueId id) const {
    std::vector<NodeId> list;
    for (size_t n = 0; n < graph_.nodes.size(); ++n)
      if (const auto& in = graph_.nodes[n].inputs; std::find(in.begin(), in.end(), id) != in.end())
        list.push_back(static_cast<NodeId>(n));
    return list;
  }
  /// The batch norm that makes `id` for `user` alone, or -1.
  NodeId norm_for(ValueId id, NodeId user) const {
    const NodeId n = graph_.value(id).producer;
    if (name(n) != "batch_norm_infer" || users(id) != std::vector<NodeId>{user}) return -1;
    const auto& outputs = graph_.outputs;
    return std::find(outputs.begin(), outputs.end(), id) == outputs.end() ? n : -1;
  }

  void replace(ValueId old, ValueId fresh) {
    for (Node& other : graph_.nodes)
      std::replace(other.inputs.begin(), other.inputs.end(), old, fresh);
    std::replace(graph_.outputs.begin(), graph_.outputs.end(), old, fresh);
    for (Value& value : graph_.values)
      if (value.alias_of == old) value.alias_of = fresh;
    graph_.value(fresh).gradient_of = graph_.value(old).gradient_of;
  }

  /// A node in the place of `like`; false, and nothing done, where the backend has no kernel.
  bool put(const char* op, std::vector<ValueId> inputs, NodeId like) {
    const Node copy = node(like);
    const size_t values = graph_.values.size();
    const NodeId made = graph_.add(op_named(op), std::move(inputs),
                                   {{"epsilon", copy.attrs.real("epsilon")}}, &copy);
    if (supports_(graph_, node(made))) return true;
    graph_.nodes.pop_back();
    graph_.values.resize(values);
    return false;
  }

  // batch_norm_infer[, add with a short cut], relu -> batch_norm_relu
  void forward(NodeId n) {
    const ValueId z = node(n).inputs[0];
    NodeId norm = norm_for(z, n);
    ValueId residual = -1;
    const NodeId add = graph_.value(z).producer;
    if (norm < 0 && name(add) == "add" && users(z) == std::vector<NodeId>{n} && !is_output(z))
      for (size_t side = 2; side-- > 0 && norm < 0;) {
        residual = node(add).inputs[1 - side];
        norm = norm_for(node(add).inputs[side], add);
      }
    if (norm < 0) return;
    auto inputs = node(norm).inputs;
    if (residual >= 0) {
      if (!(graph_.value(residual).type == graph_.value(z).type)) return;
      inputs.push_back(residual);
    }
    const Node before = node(norm);
    const ValueId y = node(n).outputs[0];
    if (!put("batch_norm_relu", inputs, norm)) return;
    replace(y, graph_.nodes.back().outputs[0]);
    if (residual < 0) backward(graph_.nodes.back().outputs[0], before);
  }

  bool is_output(ValueId id) const {
    return std::find(graph_.outputs.begin(), graph_.outputs.end(), id) != graph_.outputs.end();
  }

  // relu_grad, batch_norm_weight_grad and batch_norm_input_grad -> the last two with relu's mask
  void backward(ValueId y, const Node& norm) {
    for (const NodeId mask : users(y)) {
      if (name(mask) != "relu_grad" || node(mask).inputs[0] != y) continue;
      const ValueId g = node(mask).outputs[0], dy = node(mask).inputs[1];
      NodeId weights = -1, input = -1;
      for (const NodeId user : users(g)) {
        const auto& in = node(user).inputs;
        if (name(user) == "batch_norm_weight_grad" && in[0] == norm.inputs[0] && in[3] == g)
          weights = user;
        else if (name(user) == "batch_norm_input_grad" && in[0] == norm.inputs[0] && in[4] == g)
          input = user;
        else
          return;
      }
      if (weights < 0 || is_output(g)) return;
      auto inputs = norm.inputs;  // x, gamma, beta, mean, var
      inputs.push_back(dy);
      const auto sums = node(weights).outputs;
      if (!put("batch_norm_relu_weight_grad", inputs, weights)) return;
      const auto made = graph_.nodes.back().outputs;
      replace(sums[0], made[0]);
      replace(sums[1], made[1]);
      if (input < 0) return;
      inputs.insert(inputs.end(), {made[0], made[1]});
      const ValueId dx = node(input).outputs[0];
      if (put("batch_norm_relu_input_grad", inputs, input))
        replace(dx, graph_.nodes.back().outputs[0]);
      return;
    }
  }

  Graph& graph_;
  const Supports& supports_;
};

}  // namespace

void fuse_batch_norm(Graph& graph, const Supports& supports) { Fuser(graph, supports).run(); }

}  // namespace goneuron
