#include "io/layer_replay.h"

#include <unordered_map>
#include <unordered_set>

#include "graph/op_def.h"

namespace goneuron {

namespace {
constexpr auto reload =
    "keep the loaded model for as long as its layers are called, or make the layer anew";

class Replay {
 public:
  Replay(const LayerCall& call, LayerContext& context) : call_(call), context_(context) {}

  Symbol run(const Symbol& output) {
    const Symbol result = copy(output);
    // Updates, losses and metrics may belong to calls inside this one; those of one call are made
    // once.
    meet(call_);
    for (size_t i = 0; i < calls_.size(); ++i) {
      for (const Symbol update : calls_[i]->updates)
        if (update) context_.update(copy(update));
      for (const AddedTerm& term : calls_[i]->losses)
        if (const Symbol value = term.value) context_.add_loss(copy(value), term.name, term.weight);
      for (const AddedTerm& term : calls_[i]->metrics)
        if (const Symbol value = term.value) context_.add_metric(term.name, copy(value));
    }
    return result;
  }

 private:
  void meet(const LayerCall& call) {
    for (const LayerCall* at = &call; at && seen_.insert(at).second; at = at->parent.get()) {
      calls_.push_back(at);
      if (at == &call_) break;  // what is around it is no part of the layer
    }
  }

  // Iterative: what a file holds may be deeper than the call stack.
  Symbol copy(const Symbol& wanted) {
    std::vector<Symbol> stack{wanted};
    while (!stack.empty()) {
      const Symbol symbol = stack.back();
      const Expr& expr = *symbol.expr();
      bool ready = true;
      if (!known(symbol))
        for (const Symbol& input : expr.inputs)
          if (!known(input)) {
            stack.push_back(input);
            ready = false;
            break;
          }
      if (!ready) continue;
      if (!known(symbol)) made_[&expr] = make_again(expr);
      stack.pop_back();
    }
    return mapped(wanted);
  }

  const Symbol* input(const Symbol& symbol) const {
    for (size_t i = 0; i < call_.inputs.size(); ++i)
      if (call_.inputs[i] == symbol) return &context_.inputs()[i];
    return nullptr;
  }
  bool known(const Symbol& symbol) const {
    return input(symbol) || made_.count(symbol.expr().get());
  }
  Symbol mapped(const Symbol& symbol) const {
    if (const Symbol* replaced = input(symbol)) return *replaced;
    return output_of(made_.at(symbol.expr().get()), symbol.output());
  }

  Symbol make_again(const Expr& expr) {
    if (expr.call) meet(*expr.call);
    switch (expr.kind) {
      case Expr::Kind::constant:
        return constant_symbol(expr.constant);
      case Expr::Kind::variable:
        return variable(expr.variable);
      case Expr::Kind::input:
        context_.fail(
            "it reads the input \"" + expr.name + "\" of the model that it was loaded with",
            "a layer that uses a symbol from outside can be called in its own model only");
      case Expr::Kind::op:
        break;
    }
    std::vector<Symbol> inputs;
    for (const Symbol& input : expr.inputs) inputs.push_back(mapped(input));
    return make(*expr.op, std::move(inputs), expr.attrs);
  }

  // The layer's own variables go through the context, so that a clone of the layer gets its own.
  Symbol variable(const std::shared_ptr<Variable>& variable) {
    if (variable->layer.lock() != call_.layer) return variable_symbol(variable);
    const char* name = variable->name.c_str();
    if (variable->role == Role::state)
      return context_.state(name, variable->type.shape, variable->init);
    return context_.parameter(name, variable->type.shape, variable->init, variable->fan_in,
                              variable->fan_out);
  }

  const LayerCall& call_;
  LayerContext& context_;
  std::unordered_map<const Expr*, Symbol> made_;
  std::vector<const LayerCall*> calls_;
  std::unordered_set<const LayerCall*> seen_;
};
}  // namespace

std::function<Symbol(LayerContext&)> replay(const std::shared_ptr<LayerCall>& call,
                                            const Symbol& output) {
  return [weak = std::weak_ptr<LayerCall>(call), end = WeakSymbol(output)](LayerContext& context) {
    const auto first = weak.lock();
    const Symbol last = end;
    if (!first || !last) context.fail("the model that it was loaded with is gone", reload);
    if (first->inputs.size() != context.inputs().size())
      context.fail(std::to_string(context.inputs().size()) + " inputs, it was saved with " +
                       std::to_string(first->inputs.size()),
                   "a layer from a file takes as many inputs as when it was saved");
    return Replay(*first, context).run(last);
  };
}

std::function<Symbol(LayerContext&)> no_replay() {
  return [](LayerContext& context) -> Symbol {
    context.fail("it comes from a file that does not hold how it is built",
                 "a layer from a file can be called again only when the file has its first call; "
                 "make it anew");
  };
}

}  // namespace goneuron
