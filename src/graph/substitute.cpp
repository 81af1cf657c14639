#include "graph/substitute.h"

#include <map>

#include "graph/layer_impl.h"

namespace goneuron {

namespace {

class Substitution {
 public:
  Substitution(const Symbol& from, const Symbol& to) : from_(from), to_(to), outer_(current_call()) {}

  Symbol run(const Symbol& output) {
    copy_all({output});
    // The state updates of the layers on the way come along.
    std::vector<Symbol> updates;
    for (const auto& [old, copy] : calls_)
      for (const WeakSymbol& weak : old->updates)
        if (const Symbol update = weak) updates.push_back(update);
    copy_all(updates);
    std::vector<Symbol> copies;
    for (const auto& [old, copy] : calls_)
      for (const WeakSymbol& weak : old->updates)
        if (const Symbol update = weak) {
          copies.push_back(copy_of(update));
          copy->updates.push_back(copies.back());
        }
    const Symbol result = copy_of(output);
    return copies.empty() ? result : keeping(result, copies);
  }

 private:
  Symbol copy_of(const Symbol& symbol) const {
    if (symbol == from_) return to_;
    const auto at = copies_.find(symbol.expr().get());
    return at == copies_.end() ? symbol : output_of(at->second, symbol.output());
  }

  std::shared_ptr<LayerCall> copy_of(const std::shared_ptr<LayerCall>& call) {
    if (!call) return call;
    auto& copy = calls_[call.get()];
    if (!copy) {
      copy = std::make_shared<LayerCall>();
      copy->layer = call->layer;
      copy->site = call->site;
      copy->parent = outer_;
      for (const Symbol& old : call->inputs) copy->inputs.push_back(copy_of(old));
    }
    return copy;
  }

  void copy_all(const std::vector<Symbol>& outputs) {
    for (const Expr* expr : topological_order(outputs)) {
      if (copies_.count(expr)) continue;
      bool changed = false;
      std::vector<Symbol> inputs;
      for (const Symbol& old : expr->inputs) {
        inputs.push_back(copy_of(old));
        changed |= !(inputs.back() == old);
      }
      if (!changed) continue;
      const CallScope scope(copy_of(expr->call));
      copies_[expr] = make(*expr->op, std::move(inputs), expr->attrs, expr->site);
    }
  }

  const Symbol &from_, &to_;
  std::shared_ptr<LayerCall> outer_;
  std::map<const Expr*, Symbol> copies_;
  std::map<const LayerCall*, std::shared_ptr<LayerCall>> calls_;
};

}  // namespace

Symbol substitute(const Symbol& output, const Symbol& input, const Symbol& replacement) {
  return Substitution(input, replacement).run(output);
}

}  // namespace goneuron
