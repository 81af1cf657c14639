// The fusion pass: matmul + bias + activation become `linear`, convolution + bias + activation
// `conv2d_fused`, and with max pooling `conv2d_pool`, whose weight gradient needs no pre-pool
// activations. A pattern is used only where `supports` says that the backend has a kernel for the
// fused node.
#pragma once

#include <functional>

#include "graph/graph.h"

namespace goneuron {

using Supports = std::function<bool(const Graph&, const Node&)>;

void fuse(Graph& graph, const Supports& supports);

}  // namespace goneuron
