// Loss: a name and a function of (y_true, y_pred).
#include "goneuron/loss.h"

#include "core/message.h"
#include "graph/layer_impl.h"
#include "train/losses/targets.h"

namespace goneuron {

Loss::Loss(const char* name, SymbolFunction function, Site site)
    : name_(name), function_(std::move(function)) {
  require(static_cast<bool>(function_), "Loss", site,
          "\"" + name_ + "\" has an empty function; expected one that returns a Symbol",
          "pass a function of (Symbol y_true, Symbol y_pred)");
}

Symbol Loss::operator()(const Symbol& y_true, const Symbol& y_pred) const {
  const UserCode code;
  return function_(like_predictions(y_true, y_pred), y_pred);
}

}  // namespace goneuron
