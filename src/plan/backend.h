// Backend: what a device is to the planner and the executor. A backend is one folder in
// src/backends/. It tells which nodes it can run and how they may be cut, and lowers a node to a
// call on bound memory.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/op_def.h"
#include "plan/partition.h"

namespace goneuron {

/// One way of cutting a node into tiles. The cut depends on shapes alone, never on the machine.
struct Scheme {
  const char* name = "whole";
  i64 tiles = 1;
  // For each input and output, what a tile touches: its own range, or everything (`all`: every tile
  // may read all; `part` is then what it reads most of, where there is such a thing).
  struct Access {
    bool all = false;
    Partition part;
    // Of what is cut within samples: into how many bands at most the kernel takes it, or into any
    // divisor of that; and how many the tiles pass made (see plan/bands.cpp).
    i64 most_bands = 1, bands = 1;
  };
  std::vector<Access> in, out;
  bool partial = false;  // output 0 becomes [tiles, ...]: sums that a tree_sum adds up
  bool merges = false;   // a range of tiles is as good as one tile: the cut costs nothing
  bool crosses = false;  // set by the tiles pass: what a tile writes is read by other workers, too
  i64 scratch = 0;       // bytes of private memory for each worker
};

/// A kernel with its arguments bound: runs tiles [begin, end).
using Kernel = void (*)(const void* args, i64 begin, i64 end, void* scratch) noexcept;
struct Call {
  Kernel kernel = nullptr;
  std::shared_ptr<const void> args;
};

/// A node with the memory of its values, for lowering.
struct BoundNode {
  const Graph& graph;
  const Node& node;
  const Scheme& scheme;
  std::vector<void*> in, out;
  StepScalars* scalars;

  const Shape& in_shape(int i) const { return graph.in_shape(node, i); }
  const Shape& out_shape(int i = 0) const { return graph.out_shape(node, i); }
  template <class T = float>
  const T* input(size_t i) const {
    return i < in.size() ? static_cast<const T*>(in[i]) : nullptr;
  }
  template <class T = float>
  T* output(size_t i = 0) const {
    return i < out.size() ? static_cast<T*>(out[i]) : nullptr;
  }
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string name() const = 0;
  /// One line for `goneuron info`.
  virtual std::string info() const = 0;
  virtual bool supports(const Graph& graph, const Node& node) const = 0;
  /// At least one; the first is the plainest.
  virtual std::vector<Scheme> schemes(const Graph& graph, const Node& node) const = 0;
  virtual Call lower(const BoundNode& node) const = 0;
  /// Whether both steps can be one call: `second` changes variables by the output of `first` (its
  /// input 1), each element by that of the same index, and both have the same tiles.
  virtual bool runs_together(const Graph& graph, const Node& first, const Scheme& scheme,
                             const Node& second) const {
    (void)graph, (void)first, (void)scheme, (void)second;
    return false;
  }
  /// That call; asked for where runs_together() said so.
  virtual Call lower_together(const BoundNode& first, const BoundNode& second) const {
    (void)first, (void)second;
    return {};
  }
};

/// The backends by name; throws DeviceError listing those there are.
const Backend& backend_named(const std::string& name);
std::vector<std::string> backend_names();

/// A scheme of one tile that touches everything: what every kernel can do.
Scheme single_tile(const Node& node);
/// Tiles along the first axes: row i of the outputs needs row i of the inputs whose index is in
/// `by_rows` (bit mask); other inputs are read whole by every tile.
Scheme by_rows(const Graph& graph, const Node& node, i64 tiles, unsigned rows_mask);

}  // namespace goneuron
