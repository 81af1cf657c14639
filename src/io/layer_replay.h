// Replaying a layer's first call on other symbols: what stands in for the build function of a layer that comes
// from a file, where functions cannot be stored. Used by the reader of graphs.
#pragma once

#include <functional>
#include <memory>

#include "graph/expr.h"
#include "graph/layer_impl.h"

namespace goneuron {

/// A build function that makes the ops between `call`'s inputs and `output` again, with the layer's variables.
/// It holds neither alive; called after the graph is gone, it throws GraphError.
std::function<Symbol(LayerContext&)> replay(const std::shared_ptr<LayerCall>& call, const Symbol& output);
/// A build function that throws GraphError: the file does not hold the layer's own call.
std::function<Symbol(LayerContext&)> no_replay();

}  // namespace goneuron
