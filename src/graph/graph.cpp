#include "graph/graph.h"

#include "core/checked_math.h"
#include "core/message.h"
#include "graph/layer_impl.h"
#include "graph/op_def.h"

namespace goneuron {

ValueId Graph::root(ValueId id) const {
  while (value(id).alias_of >= 0) id = value(id).alias_of;
  return id;
}

NodeId Graph::add(const OpDef& op, std::vector<ValueId> inputs, Attrs attrs, const Node* like) {
  Node node{.op = &op, .attrs = std::move(attrs), .inputs = std::move(inputs)};
  if (like) {
    node.call = like->call;
    node.site = like->site;
  }
  std::vector<TensorType> types;
  for (const ValueId id : node.inputs) types.push_back(value(id).type);
  const CallScope scope(node.call);
  const auto id = static_cast<NodeId>(nodes.size());
  for (const TensorType& type : op.infer(InferContext{op, types, node.attrs, nullptr, node.site})) {
    node.outputs.push_back(static_cast<ValueId>(values.size()));
    values.push_back({.type = type, .producer = id});
  }
  if (op.alias) value(node.outputs[0]).alias_of = node.inputs[0];
  // A mutated variable's new value is the same memory.
  int output = 0;
  for (size_t i = 0; i < node.inputs.size(); ++i)
    if (op.mutates >> i & 1)
      value(node.outputs[static_cast<size_t>(output++)]).alias_of = node.inputs[i];
  nodes.push_back(std::move(node));
  return id;
}

std::vector<std::vector<NodeId>> Graph::readers() const {
  std::vector<std::vector<NodeId>> all(values.size());
  for (size_t n = 0; n < nodes.size(); ++n)
    for (size_t i = 0; i < nodes[n].inputs.size(); ++i)
      if (!(nodes[n].op->shape_only >> i & 1))
        all[static_cast<size_t>(nodes[n].inputs[i])].push_back(static_cast<NodeId>(n));
  return all;
}

std::string describe(const Node& node) {
  if (node.call) return node.call->layer->describe();
  const std::string site = site_text(node.site);
  return node.op->name + (site.empty() ? "" : " (" + site + ")");
}

i64 value_bytes(const Value& value) {
  return checked_mul(value.type.shape.elements(), dtype_size(value.type.dtype));
}

i64 read_bytes(const Graph& graph, const Node& node, size_t i) {
  if (node.op->shape_only >> i & 1) return 0;
  const Value& value = graph.value(node.inputs[i]);
  if (value.table < 0) return value_bytes(value);
  const i64 listed = graph.value(node.inputs.back()).type.shape[0];
  return value_bytes(value) / value.type.shape[0] * listed;
}

}  // namespace goneuron
