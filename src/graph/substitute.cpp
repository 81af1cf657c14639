#include "graph/substitute.h"

#include <unordered_map>

#include "core/message.h"
#include "graph/calls.h"
#include "graph/layer_impl.h"

namespace goneuron {

namespace {

class Substitution {
 public:
  Substitution(const std::vector<Symbol>& from, const std::vector<Symbol>& to)
      : from_(from), to_(to), outer_(current_call()) {}

  std::vector<Symbol> run(const std::vector<Symbol>& outputs) {
    copy_all(outputs);
    // What the layers on the way leave comes along, and what those lead to.
    for (size_t i = 0; i < order_.size(); ++i) copy_all(left_by(*order_[i]));
    std::vector<Symbol> kept;
    const auto keep = [&](const WeakSymbol& weak) {
      const Symbol old = weak;
      if (old) kept.push_back(copy_of(old));
      return old ? kept.back() : Symbol();
    };
    for (const LayerCall* old : order_) {
      LayerCall& copy = *calls_.at(old);
      for (const WeakSymbol& update : old->updates) copy.updates.push_back(keep(update));
      for (const AddedTerm& term : old->losses)
        copy.losses.push_back({term.name, keep(term.value), term.weight});
      for (const AddedTerm& term : old->metrics)
        copy.metrics.push_back({term.name, keep(term.value)});
    }
    std::vector<Symbol> copies;
    for (const Symbol& output : outputs)
      copies.push_back(kept.empty() ? copy_of(output) : keeping(copy_of(output), kept));
    return copies;
  }

 private:
  Symbol copy_of(const Symbol& symbol) const {
    for (size_t i = 0; i < from_.size(); ++i)
      if (symbol == from_[i]) return to_[i];
    const auto at = copies_.find(symbol.expr().get());
    return at == copies_.end() ? symbol : output_of(at->second, symbol.output());
  }

  /// True for the calls that the copy is made in: they are no part of what is copied.
  bool around(const LayerCall* call) const {
    for (const LayerCall* outer = outer_.get(); outer; outer = outer->parent.get())
      if (outer == call) return true;
    return false;
  }

  std::shared_ptr<LayerCall> copy_of(const std::shared_ptr<LayerCall>& call) {
    if (!call || around(call.get())) return outer_;
    auto& copy = calls_[call.get()];
    if (copy) return copy;
    copy = std::make_shared<LayerCall>();
    order_.push_back(call.get());
    copy->layer = call->layer;
    copy->site = call->site;
    copy->parent = copy_of(call->parent);
    note_around(*copy);
    for (const Symbol& old : call->inputs) copy->inputs.push_back(copy_of(old));
    return copy;
  }

  void copy_all(const std::vector<Symbol>& outputs) {
    const UserCode as_written;  // the lines are those of the first making
    for (const Expr* expr : topological_order(outputs)) {
      if (copies_.count(expr) || expr->kind == Expr::Kind::input) continue;
      // What a layer makes of its variables alone is made again, too: by way of the call that it
      // was made in it would lead to what that call left, and so to the inputs that are replaced.
      bool changed = expr->call && !around(expr->call.get());
      std::vector<Symbol> inputs;
      for (const Symbol& old : expr->inputs) {
        inputs.push_back(copy_of(old));
        changed |= !(inputs.back() == old);
      }
      if (!changed) continue;
      const CallScope scope(copy_of(expr->call));
      copies_[expr] = expr->kind == Expr::Kind::variable ? variable_symbol(expr->variable)
                      : expr->kind == Expr::Kind::constant
                          ? constant_symbol(expr->constant, expr->site)
                          : make(*expr->op, std::move(inputs), expr->attrs, expr->site);
    }
  }

  const std::vector<Symbol>&from_, &to_;
  std::shared_ptr<LayerCall> outer_;
  std::unordered_map<const Expr*, Symbol> copies_;
  std::unordered_map<const LayerCall*, std::shared_ptr<LayerCall>> calls_;
  std::vector<const LayerCall*> order_;  // of the calls, as they were met
};

}  // namespace

std::vector<Symbol> substitute(const std::vector<Symbol>& outputs,
                               const std::vector<Symbol>& inputs,
                               const std::vector<Symbol>& replacements) {
  return Substitution(inputs, replacements).run(outputs);
}

}  // namespace goneuron
