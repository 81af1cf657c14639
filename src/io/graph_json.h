// The graph of a model as JSON text and back: variables, layers, their calls, nodes, and named
// lists of symbols. Used by model_file. The members come in the order written here; every index
// points backwards:
//   {"variables": [{"name", "role", "dtype", "shape", "init": [kind, a, b], "fans": [in, out],
//   "trainable"}],
//    "layers": [{"kind", "prefix", "name", "trainable", "inputs": [min, max], "variables": [i..],
//                "call": i, "output": [node, output]}],          call and output: of the first
//                call, where known
//    "calls": [{"layer": i, "parent": call, "inputs": [[node, output]..], "updates": [[node,
//    output]..],
//               "losses": [{"name", "value": [node, output], "weight"}..], "metrics": [{"name",
//               "value"}..]}],
//    "nodes": [{"op": name, "attrs": {name: 3 | {"real": 0.5} | "text" | [1, 2]},
//    "inputs": [[node, output]..]}
//              {"input": name, "dtype", "shape"} {"variable": i} {"constant": dtype, "shape", "hex"
//              | "tensor"}],
//                                                                and "call": i, where it belongs to
//                                                                one
//    "roots": {"outputs": [[node, output]..], ..}}
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/expr.h"
#include "io/json_text.h"
#include "io/safetensors.h"

namespace goneuron {

struct GraphRecord {
  /// Named lists of symbols, in order: "inputs", "outputs", "target", "loss", ...
  std::vector<std::pair<std::string, std::vector<Symbol>>> roots;
  /// Layers in order. Those that the graph calls but that are missing here are added when it is
  /// written.
  std::vector<std::shared_ptr<LayerImpl>> layers;
  /// Of the layers and of the nodes; made from them when the graph is written.
  std::vector<std::shared_ptr<Variable>> variables;

  /// The symbols of list `name`; none when there is no such list.
  std::vector<Symbol> list(std::string_view name) const;
};

struct GraphText {
  std::string json;
  size_t nodes = 0;                    // where its nodes and roots begin
  std::vector<NamedTensor> constants;  // too large to stand in the text: "constant/0", ...
  std::vector<std::shared_ptr<Variable>> variables;  // all of them, in the order of the text
  size_t memory = 0;                                 // what reading it back charges to its budget
};

/// GraphError when two variables have the same full name.
GraphText graph_to_json(const GraphRecord& record);

/// Where a graph's large constants come from; throws FormatError when there is none of that name.
using ConstantSource = std::function<Tensor(const std::string& name)>;

/// Rebuilds every node through its op's shape function: what does not fit is a FormatError naming
/// the node. Sites are empty. Loaded layers can be called again as long as the graph lives: their
/// first call is replayed. FormatError too when the graph would take more than `memory` bytes.
GraphRecord graph_from_json(JsonReader& json, const ConstantSource& constants, size_t memory);
GraphRecord graph_from_json(std::string_view text, const std::string& name);

/// What one item costs of the budget of a reader, in bytes; estimated from above.
struct GraphCost {
  static constexpr size_t variable = 512, layer = 640, call = 320, term = 192, node = 512,
                          attr = 160, reference = 240, item = 24;
};

}  // namespace goneuron
