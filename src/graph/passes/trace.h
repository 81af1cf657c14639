// The first pass: symbols with an open batch become a Graph with every shape concrete.
// Inference drops dropout and reads batch norm's running statistics here; nothing later asks for
// the mode.
#pragma once

#include "graph/graph.h"
#include "graph/passes/frozen_norms.h"

namespace goneuron {

struct TraceSpec {
  std::vector<Symbol> inputs;
  std::vector<TensorType> input_types;  // concrete, one an input
  // One an input, or none. Where one is not empty, the input is the numbers of its rows, [rows]
  // i32: bytes that stand for value / 255. Its type is used alone.
  std::vector<Tensor> tables;
  std::vector<Symbol> outputs;  // what is read after a step
  std::vector<Symbol> effects;  // ops that mutate variables; run after outputs[0], the loss
  bool training = false;
  FrozenNorms frozen_norms = {};  // in training
};

Graph trace(const TraceSpec& spec);

}  // namespace goneuron
