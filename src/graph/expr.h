// Expr: what a Symbol points to, an immutable node of the user's graph; Variable: a weight or state
// with its memory. Layers, losses, metrics, gradients and optimizers all build Exprs; the passes
// turn them into a Graph.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/ownership.h"
#include "goneuron/initializer.h"
#include "goneuron/symbol.h"
#include "graph/attrs.h"

namespace goneuron {

struct OpDef;
struct LayerImpl;

struct TensorType {
  Shape shape;
  DType dtype = DType::f32;
  friend bool operator==(const TensorType&, const TensorType&) = default;
};

enum class Role : std::uint8_t { input, parameter, state, activation, gradient, constant, slot };

/// A named tensor that outlives the step: a parameter, a layer's state or an optimizer's slot.
/// `value` is empty until a model gives it memory; from then on its address does not change.
struct Variable {
  std::string name;  // within its layer: "weight"
  Role role = Role::parameter;
  TensorType type;
  Initializer init;
  i64 fan_in = 0, fan_out = 0;  // for the initializer
  bool trainable = true;
  Tensor value;
  std::weak_ptr<LayerImpl> layer;
  Site site;  // of the call that made it
  /// `value` is what initialize() made: until it is set, loaded or part of a training.
  bool drawn = false;

  /// "dense_1/weight", or the bare name where there is no layer.
  std::string full_name() const;
};

/// A Symbol that does not keep its Expr alive; empty once that is gone. For what calls and layers
/// know of the Exprs that keep them alive in turn.
class WeakSymbol {
 public:
  WeakSymbol() = default;
  WeakSymbol(const Symbol& symbol)  // NOLINT: converts on purpose
      : expr_(pointer_of(symbol.expr())), output_(symbol.output()) {}
  operator Symbol() const {  // NOLINT: converts on purpose
    auto expr = expr_.lock();
    return expr ? Symbol(share(std::move(expr)), output_) : Symbol();
  }

 private:
  std::weak_ptr<const Expr> expr_;
  int output_ = 0;
};

/// A loss or a metric that a layer adds while it is called: the mean over all of `value` counts.
struct AddedTerm {
  std::string name;
  WeakSymbol value;
  double weight = 1;  // of a loss
};

/// One call of a layer on symbols: who made the ops between `inputs` and `output`.
struct LayerCall {
  std::shared_ptr<LayerImpl> layer;
  std::vector<Symbol> inputs;
  std::vector<WeakSymbol>
      updates;  // state updates that a training step runs, e.g. batch norm's running mean
  Site site;    // of the call
  std::shared_ptr<LayerCall> parent =
      nullptr;  // the call whose layer made this one, for layers made of layers
  std::vector<AddedTerm> losses = {}, metrics = {};
  std::vector<WeakSymbol> results = {};  // what it offers beside its output: recurrent states
};

struct Expr {
  enum class Kind : std::uint8_t { input, variable, constant, op };
  Kind kind = Kind::op;
  const OpDef* op = nullptr;
  Attrs attrs;
  std::vector<Symbol> inputs;
  std::vector<TensorType> outputs;
  std::shared_ptr<Variable> variable;  // kind variable
  Tensor constant;                     // kind constant
  std::string name;                    // kind input
  std::shared_ptr<LayerCall> call;     // null outside layers
  Site site;

  Expr() = default;
  Expr(const Expr&) = default;
  Expr& operator=(const Expr&) = default;
  /// Not recursive: graphs may be deeper than the call stack.
  ~Expr();
};

/// A node computing `op` of `inputs`; infers its types, and throws what the op's shape function
/// throws. Belongs to the layer call being built on this thread, if any.
Symbol make(const OpDef& op, std::vector<Symbol> inputs, Attrs attrs = {}, Site site = {});
Symbol make(std::string_view op, std::vector<Symbol> inputs, Attrs attrs = {}, Site site = {});
/// Output `index` of the same node.
Symbol output_of(const Symbol& symbol, int index);
Symbol input_symbol(const TensorType& type, std::string name, Site site = {});
Symbol variable_symbol(std::shared_ptr<Variable> variable);
Symbol constant_symbol(const Tensor& value, Site site = {});
/// The same symbol, which from now on also keeps `others` alive: those may depend on it without a
/// cycle.
Symbol keeping(const Symbol& symbol, std::vector<Symbol> others);
/// A rank-0 f32 constant.
Symbol scalar(double value);

/// Where a symbol comes from, for messages: `Dense "dense" (train.cpp:14)`; empty when that is not
/// known.
std::string origin_of(const Symbol& symbol);
/// "   from " and the origin: what follows a shape in a message.
std::string from_text(const Symbol& symbol);

/// The call that make() attributes nodes to; set while a layer builds.
std::shared_ptr<LayerCall> current_call();
class CallScope {
 public:
  explicit CallScope(std::shared_ptr<LayerCall> call);
  ~CallScope();
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;

 private:
  std::shared_ptr<LayerCall> before_;
};

/// Every Expr that `outputs` need, inputs before users, each once, in a fixed order.
std::vector<const Expr*> topological_order(const std::vector<Symbol>& outputs);

}  // namespace goneuron
