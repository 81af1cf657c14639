// Graph: the indexed form that the passes work on: nodes in an order that runs, values with
// concrete shapes. Made from symbols by trace(), rewritten by the passes, executed through a Plan.
#pragma once

#include <memory>
#include <vector>

#include "graph/expr.h"

namespace goneuron {

using NodeId = int;
using ValueId = int;

struct Value {
  TensorType type;
  Role role = Role::activation;
  NodeId producer = -1;                // -1: an input, a variable or a constant
  ValueId alias_of = -1;               // the value whose memory this one shows under another shape
  int input = -1;                      // role input: its number
  std::shared_ptr<Variable> variable;  // roles parameter, state, slot
  Tensor constant;                     // role constant; empty for a table
  int table = -1;  // role constant: the executor's table of this number, [rows, ..]
  std::shared_ptr<Variable> gradient_of;  // role gradient: the parameter it belongs to
};

struct Node {
  const OpDef* op = nullptr;
  Attrs attrs;
  std::vector<ValueId> inputs, outputs;
  std::vector<ValueId> after;  // besides its inputs, what must be there before it runs
  std::shared_ptr<LayerCall> call;
  Site site;
};

struct Graph {
  std::vector<Node> nodes;
  std::vector<Value> values;
  std::vector<ValueId> inputs, outputs;
  std::vector<std::string> notes;  // what the passes did, for summary()

  const Value& value(ValueId id) const { return values[static_cast<size_t>(id)]; }
  Value& value(ValueId id) { return values[static_cast<size_t>(id)]; }
  const Value& in(const Node& node, int i) const {
    return value(node.inputs[static_cast<size_t>(i)]);
  }
  const Value& out(const Node& node, int i = 0) const {
    return value(node.outputs[static_cast<size_t>(i)]);
  }
  const Shape& in_shape(const Node& node, int i) const { return in(node, i).type.shape; }
  const Shape& out_shape(const Node& node, int i = 0) const { return out(node, i).type.shape; }
  /// The value whose memory `id` lives in.
  ValueId root(ValueId id) const;
  /// Adds a node of `op`, with new values of the types its shape function gives.
  NodeId add(const OpDef& op, std::vector<ValueId> inputs, Attrs attrs, const Node* like = nullptr);
  /// For each value, the nodes that read it (shape-only reads left out).
  std::vector<std::vector<NodeId>> readers() const;
};

/// `Dense "dense_1" (train.cpp:14)`, or the op's name outside layers.
std::string describe(const Node& node);
/// Bytes of a value.
i64 value_bytes(const Value& value);
/// Bytes that a node reads of its input i: of a table, the rows that its last input lists.
i64 read_bytes(const Graph& graph, const Node& node, size_t i);

}  // namespace goneuron
