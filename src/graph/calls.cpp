#include "graph/calls.h"

#include <unordered_set>

namespace goneuron {

std::vector<const LayerCall*> calls_of(const std::vector<const Expr*>& order) {
  std::vector<const LayerCall*> all;
  std::unordered_set<const LayerCall*> seen;
  for (const Expr* expr : order)
    for (const LayerCall* call = expr->call.get(); call; call = call->parent.get()) {
      if (!seen.insert(call).second) break;
      all.push_back(call);
    }
  return all;
}

std::vector<Symbol> left_by(const LayerCall& call) {
  std::vector<Symbol> all;
  const auto add = [&all](const Symbol& symbol) {
    if (symbol) all.push_back(symbol);
  };
  for (const WeakSymbol& update : call.updates) add(update);
  for (const AddedTerm& loss : call.losses) add(loss.value);
  for (const AddedTerm& metric : call.metrics) add(metric.value);
  return all;
}

std::vector<const Expr*> model_order(const std::vector<Symbol>& outputs) {
  std::vector<Symbol> wanted = outputs;
  std::unordered_set<const LayerCall*> seen;
  // What makes an added loss may be a layer that adds losses of its own: until there are no more.
  for (;;) {
    auto order = topological_order(wanted);
    const size_t before = wanted.size();
    for (const LayerCall* call : calls_of(order))
      if (seen.insert(call).second)
        for (const Symbol& symbol : left_by(*call)) wanted.push_back(symbol);
    if (wanted.size() == before) return order;
  }
}

}  // namespace goneuron
