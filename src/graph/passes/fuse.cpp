#include "graph/passes/fuse.h"

#include <algorithm>

#include "graph/op_def.h"
#include "graph/passes/cleanup.h"

namespace goneuron {

namespace {

/// Activations that a product can end with: those with a gradient from the output, and the two that
/// need z.
bool is_activation(std::string_view op) {
  static constexpr std::string_view names[] = {"relu", "leaky_relu", "sigmoid", "tanh",
                                               "elu",  "selu",       "gelu",    "silu"};
  return std::find(std::begin(names), std::end(names), op) != std::end(names);
}

class Fuser {
 public:
  Fuser(Graph& graph, const Supports& supports) : graph_(graph), supports_(supports) {}

  void run() {
    // Graph::add appends, so the loop sees what it made; nodes replaced are dropped at the end.
    for (NodeId n = 0; n < static_cast<NodeId>(graph_.nodes.size()); ++n) bias(n);
    finish();
    for (NodeId n = 0; n < static_cast<NodeId>(graph_.nodes.size()); ++n) activation(n);
    finish();
    for (NodeId n = 0; n < static_cast<NodeId>(graph_.nodes.size()); ++n) pool(n);
    finish();
    for (NodeId n = 0; n < static_cast<NodeId>(graph_.nodes.size()); ++n) bytes(n);
    finish();
    for (const Node& fused : graph_.nodes) tell(fused);
  }

 private:
  const Node& node(NodeId n) const { return graph_.nodes[static_cast<size_t>(n)]; }
  std::string_view name(NodeId n) const { return n < 0 ? "" : node(n).op->name; }
  NodeId producer(ValueId id) const { return graph_.value(id).producer; }

  /// A line for summary().
  void tell(const Node& fused) {
    const std::string_view op = fused.op->name;
    if (op != "linear" && op != "conv2d_fused" && op != "conv2d_pool") return;
    std::vector<std::string> parts = {op == "linear" ? "product" : "convolution"};
    const bool table = graph_.in(fused, 0).type.dtype == DType::u8;  // its rows are one more input
    if (fused.inputs.size() > (table ? 3 : 2)) parts.emplace_back("bias");
    if (fused.attrs.text("activation") != "linear") parts.push_back(fused.attrs.text("activation"));
    if (op == "conv2d_pool") parts.emplace_back("max pooling");
    std::string list = parts[0];
    for (size_t i = 1; i < parts.size(); ++i)
      list += (i + 1 == parts.size() ? " and " : ", ") + parts[i];
    graph_.notes.push_back(describe(fused) + ": " + list + " in one step");
  }

  void finish() {
    drop_dead_nodes(graph_);
    sort_nodes(graph_);
  }

  void replace(ValueId old, ValueId fresh) {
    for (Node& other : graph_.nodes)
      std::replace(other.inputs.begin(), other.inputs.end(), old, fresh);
    std::replace(graph_.outputs.begin(), graph_.outputs.end(), old, fresh);
    for (Value& value : graph_.values)
      if (value.alias_of == old) value.alias_of = fresh;
    graph_.value(fresh).gradient_of = graph_.value(old).gradient_of;
  }

  std::vector<NodeId> users(ValueId id) const {
    std::vector<NodeId> list;
    for (size_t n = 0; n < graph_.nodes.size(); ++n)
      for (const ValueId input : graph_.nodes[n].inputs)
        if (input == id) {
          list.push_back(static_cast<NodeId>(n));
          break;
        }
    return list;
  }
  bool is_output(ValueId id) const {
    return std::find(graph_.outputs.begin(), graph_.outputs.end(), id) != graph_.outputs.end();
  }

  /// Adds the fused node if the backend can run it; returns -1 and leaves the graph as it was if
  /// not.
  NodeId try_add(const char* op, std::vector<ValueId> inputs, Attrs attrs, const Node& like) {
    const Node copy = like;
    const size_t values = graph_.values.size();
    const NodeId fused = graph_.add(op_named(op), std::move(inputs), std::move(attrs), &copy);
    // Where the parts have no kernel either, a node that a larger pattern may take in costs
    // nothing.
    if (supports_(graph_, node(fused)) ||
        (std::string_view(op) == "conv2d_fused" && !supports_(graph_, copy)))
      return fused;
    graph_.nodes.pop_back();
    graph_.values.resize(values);
    return -1;
  }

  // product, add(product, bias) -> linear or conv2d_fused. A product alone is left to activation().
  void bias(NodeId n) {
    if (name(n) != "add") return;
    for (int side = 0; side < 2; ++side) {
      const ValueId product = node(n).inputs[static_cast<size_t>(side)];
      const ValueId b = node(n).inputs[static_cast<size_t>(1 - side)];
      const NodeId p = producer(product);
      const bool dense =
          name(p) == "matmul" && !node(p).attrs.integer("ta", 0) && !node(p).attrs.integer("tb", 0);
      if (!dense && name(p) != "conv2d") continue;
      const Shape& out = graph_.value(product).type.shape;
      if (graph_.value(b).type.shape.rank() != 1 || !(graph_.value(b).type.shape[0] == out[-1]))
        continue;
      if (is_output(product) || users(product).size() != 1) continue;
      Attrs attrs = node(p).attrs;
      attrs.set("activation", std::string("linear"));
      attrs.set("alpha", 0.0);
      attrs.set("keep_input", i64{0});
      const NodeId fused = try_add(dense ? "linear" : "conv2d_fused",
                                   {node(p).inputs[0], node(p).inputs[1], b}, attrs, node(p));
      if (fused < 0) continue;
      replace(node(n).outputs[0], node(fused).outputs[0]);
      return;
    }
  }

  void activation(NodeId n) {
    if (!is_activation(name(n))) return;
    const ValueId z = node(n).inputs[0];
    const NodeId p = producer(z);
    const bool fused_already = name(p) == "linear" || name(p) == "conv2d_fused";
    const bool dense = name(p) == "linear" || name(p) == "matmul";
    if (!fused_already && name(p) != "conv2d" && name(p) != "matmul") return;
    Attrs attrs = node(p).attrs;
    if (fused_already && attrs.text("activation") != "linear") return;
    if (dense && (attrs.integer("ta", 0) || attrs.integer("tb", 0))) return;
    const bool needs_z = users(z).size() > 1 || is_output(z);
    attrs.set("activation", std::string(name(n)));
    attrs.set("alpha", node(n).attrs.real("alpha", 0.0));
    attrs.set("keep_input", i64{needs_z});
    const NodeId fused = try_add(dense ? "linear" : "conv2d_fused", node(p).inputs, attrs, node(p));
    if (fused < 0) return;
    replace(node(n).outputs[0], node(fused).outputs[0]);
    if (needs_z) replace(z, node(fused).outputs[1]);
  }

  // conv2d_fused, maxpool2d -> conv2d_pool; its backward reads the pooled output only.
  void pool(NodeId n) {
    if (name(n) != "maxpool2d") return;
    const ValueId y = node(n).inputs[0];
    const NodeId c = producer(y);
    if (name(c) != "conv2d_fused" || is_output(y) || node(c).attrs.integer("keep_input")) return;
    const Attrs& window = node(n).attrs;
    if (window.integer("pad_top") || window.integer("pad_left") || window.integer("pad_bottom") ||
        window.integer("pad_right"))
      return;
    NodeId grad = -1;  // the gradient of the convolution's activation, through the pooling
    if (!backward_of_pool(n, c, grad)) return;
    Attrs attrs = node(c).attrs;
    for (const char* size : {"kernel_h", "kernel_w", "stride_h", "stride_w"})
      attrs.set(std::string("pool_") + size, window.integer(size));
    const NodeId fused = try_add("conv2d_pool", node(c).inputs, attrs, node(c));
    if (fused < 0) return;
    const Node pooled = node(fused);
    if (grad >= 0 && !fuse_backward(n, c, grad, pooled, attrs)) {
      graph_.nodes.pop_back();
      return;
    }
    replace(node(n).outputs[0], pooled.outputs[0]);
    replace(node(n).outputs[1], pooled.outputs[1]);
  }

  // byte_rows, conv2d_pool or its gradient -> the same of the table and its rows.
  void bytes(NodeId n) {
    if (name(n) != "conv2d_pool" && name(n) != "conv2d_pool_weight_grad") return;
    auto& inputs = graph_.nodes[static_cast<size_t>(n)].inputs;
    const NodeId p = producer(inputs[0]);
    if (name(p) != "byte_rows") return;
    const std::vector<ValueId> plain = inputs;
    inputs[0] = node(p).inputs[0];
    inputs.push_back(node(p).inputs[1]);
    if (!supports_(graph_, node(n))) inputs = plain;
  }

  /// True when y has no readers but the pooling and the one backward chain that can be fused with
  /// it.
  bool backward_of_pool(NodeId n, NodeId c, NodeId& grad) const {
    const ValueId y = node(c).outputs[0];
    const bool relu = node(c).attrs.text("activation") == "relu";
    if (!relu && node(c).attrs.text("activation") != "linear") return false;
    NodeId pool_grad = -1, relu_grad = -1;
    for (const NodeId user : users(y)) {
      if (user == n) continue;
      if (name(user) == "maxpool2d_grad" && node(user).inputs[2] == y && pool_grad < 0)
        pool_grad = user;
      else if (relu && name(user) == "relu_grad" && node(user).inputs[0] == y && relu_grad < 0)
        relu_grad = user;
      else
        return false;
    }
    if (pool_grad < 0) return relu_grad < 0;
    if (relu && (relu_grad < 0 || node(relu_grad).inputs[1] != node(pool_grad).outputs[0] ||
                 users(node(pool_grad).outputs[0]).size() != 1))
      return false;
    grad = relu ? relu_grad : pool_grad;
    const ValueId g = node(grad).outputs[0];
    for (const NodeId user : users(g))
      if (name(user) != "conv2d_weight_grad" && !(name(user) == "sum" && reduces_to_channels(user)))
        return false;
    return true;
  }

  bool reduces_to_channels(NodeId n) const {
    return node(n).attrs.list("axes") == std::vector<i64>{0, 1, 2};
  }

  bool fuse_backward(NodeId n, NodeId c, NodeId grad, const Node& pooled, Attrs attrs) {
    const ValueId g = node(grad).outputs[0];
    NodeId pool_grad = name(grad) == "maxpool2d_grad" ? grad : producer(node(grad).inputs[1]);
    const bool has_bias = node(c).inputs.size() > 2;
    attrs.set("bias", i64{has_bias});
    const ValueId dy = node(pool_grad).inputs[0];
    if (producer(node(pool_grad).inputs[1]) != n) return false;
    const NodeId fused =
        try_add("conv2d_pool_weight_grad",
                {node(c).inputs[0], dy, pooled.outputs[1], node(c).inputs[1]}, attrs, node(c));
    if (fused < 0) return false;
    for (const NodeId user : users(g)) {
      if (name(user) == "conv2d_weight_grad") {
        replace(node(user).outputs[0], node(fused).outputs[0]);
      } else if (has_bias) {  // the sum may keep its axes: show db under the shape it had
        const ValueId old = node(user).outputs[0];
        const NodeId shaped =
            graph_.add(op_named("reshape"), {node(fused).outputs[1]},
                       {{"shape", std::vector<i64>(graph_.value(old).type.shape.begin(),
                                                   graph_.value(old).type.shape.end())}},
                       &pooled);
        replace(old, node(shaped).outputs[0]);
      }
    }
    return true;
  }

  Graph& graph_;
  const Supports& supports_;
};

}  // namespace

void fuse(Graph& graph, const Supports& supports) { Fuser(graph, supports).run(); }

}  // namespace goneuron
