#include "graph/passes/frozen_norms.h"

#include <string_view>

#include "graph/layer_impl.h"
#include "graph/op_def.h"

namespace goneuron {

FrozenNorms frozen_norms(const std::vector<Symbol>& outputs) {
  FrozenNorms all;
  for (const Expr* expr : topological_order(outputs))
    if (expr->op && std::string_view(expr->op->name) == "batch_norm" && expr->call &&
        !expr->call->layer->learns())
      all.insert(expr);
  return all;
}

}  // namespace goneuron
