// Loss: a name and a function of (y_true, y_pred).
#include "goneuron/loss.h"

#include "graph/layer_impl.h"

namespace goneuron {

Loss::Loss(const char* name, SymbolFunction function, Site site)
    : name_(name), function_(std::move(function)) {
  require(static_cast<bool>(function_), "Loss", site, "\"" + name_ + "\" has an empty function",
          "pass a function of (Symbol y_true, Symbol y_pred) that returns a Symbol");
}

}  // namespace goneuron
