// GraphReader: a graph from JSON; a hostile text is refused at the byte where it stops making
// sense. Used by graph_json_read.cpp (values and nodes) and graph_json_calls.cpp (layers and their
// calls).
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <span>
#include <unordered_map>

#include "goneuron/error.h"
#include "graph/layer_impl.h"
#include "graph/op_def.h"
#include "io/graph_json.h"
#include "io/graph_json_names.h"

namespace goneuron {

inline constexpr i64 max_items = 1'000'000;  // variables, layers, calls, nodes
inline constexpr size_t max_inputs = 4096, max_attrs = 64, max_list = 4096, max_roots = 64,
                        max_name = 1000;
inline constexpr int max_parents = 32;

struct NodeReference {
  i64 node, output;
  size_t position;
};
struct PendingTerm {
  std::string name;
  NodeReference value;
  double weight;
};
struct PendingCall {
  std::vector<NodeReference> inputs, updates;
  std::vector<PendingTerm> losses = {}, metrics = {};
};
struct PendingLayer {
  i64 call;
  NodeReference output;
};

class GraphReader {
 public:
  GraphReader(JsonReader& json, const ConstantSource& constants, size_t memory)
      : json_(json), constants_(constants), memory_(memory) {}

  GraphRecord read() {
    json_.begin('{');
    each("variables", [&](size_t) { read_variable(); });
    each("layers", [&](size_t) { read_layer(); });
    each("calls", [&](size_t i) { read_call(static_cast<i64>(i)); });
    each("nodes", [&](size_t i) { read_node(i); });
    connect_calls();
    connect_layers();
    read_roots();
    json_.end();
    return std::move(record_);
  }

 private:
  template <class Read>
  void each(const char* name, Read read) {
    json_.member(name).begin('[');
    for (size_t i = 0; json_.more(); ++i) {
      if (i == max_items) json_.fail(fmt::format("more than {} {}", max_items, name));
      json_.begin('{');
      read(i);
      json_.end();
    }
  }

  void charge(size_t bytes);
  size_t one_of(std::span<const std::string_view> names, const char* what);
  std::string name();
  DType dtype() { return static_cast<DType>(one_of(dtype_names, "dtype")); }
  i64 index(size_t count, const char* what);
  Shape shape(i64 lowest);
  void check_size(const TensorType& type, size_t at);
  void read_variable();
  void read_layer();
  void read_call(i64 number);
  std::vector<PendingTerm> terms(bool weighted);
  NodeReference reference();
  std::vector<NodeReference> references(size_t most);
  Symbol resolve(const NodeReference& reference) const;

  // A node's "call" stands after what it needs, but make() wants it first: what is read is kept
  // until then.
  void read_node(size_t number);

  template <class InCall>
  void read_op(size_t number, size_t at, InCall in_call) {
    const std::string name = json_.string();
    Attrs attrs;
    if (json_.has_member("attrs")) attrs = read_attrs();
    json_.member("inputs");
    std::vector<Symbol> inputs;
    for (const NodeReference& reference : references(max_inputs))
      inputs.push_back(resolve(reference));
    try {
      const OpDef& op = op_named(name);
      in_call([&] { return make(op, inputs, std::move(attrs)); });
      for (size_t i = 0; i < inputs.size() && i < 32; ++i)
        if ((op.mutates >> i & 1U) && inputs[i].expr()->kind != Expr::Kind::variable)
          json_.fail_at(at, fmt::format("node {} ({}) writes its input {}, which is no variable",
                                        number, name, i));
    } catch (const FormatError&) {
      throw;
    } catch (const Error& error) {
      std::string why = error.what();
      std::replace(why.begin(), why.end(), '\n', ';');
      json_.fail_at(at, fmt::format("node {} ({}) cannot be: {}", number, shown(name), why));
    }
  }

  Attrs read_attrs();
  AttrValue attr();
  Tensor constant(size_t at);
  void connect_calls();
  void connect_terms(const std::vector<PendingTerm>& pending, std::vector<AddedTerm>& terms);

  /// True when following inputs and calls from `call` comes back to something on the way.
  bool in_cycle(const LayerCall& call);
  void connect_layers();
  void read_roots();

  JsonReader& json_;
  const ConstantSource& constants_;
  size_t memory_;
  GraphRecord record_;
  std::vector<bool> owned_;  // variables that a layer has
  std::vector<std::shared_ptr<LayerCall>> calls_;
  std::vector<int> depths_;  // of calls within calls
  std::vector<PendingCall> pending_calls_;
  std::vector<PendingLayer> pending_layers_;
  std::vector<Symbol> nodes_;
  std::vector<Symbol> kept_;                       // updates, losses and metrics of calls
  std::unordered_map<const void*, bool> visited_;  // by in_cycle(); true while on the way
};

}  // namespace goneuron
