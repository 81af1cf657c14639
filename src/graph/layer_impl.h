// LayerImpl: what a Layer points to; a name, its variables and a function that composes ops.
// A layer's file in src/nn/ builds one; nothing derives from it.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "goneuron/layer.h"
#include "graph/expr.h"

namespace goneuron {

/// What a layer's function sees while it builds: its inputs, and the way to make variables.
class LayerContext {
 public:
  LayerContext(LayerImpl& layer, LayerCall& call) : layer_(layer), call_(call) {}

  const std::vector<Symbol>& inputs() const;
  const Symbol& input(int index = 0) const { return inputs()[static_cast<size_t>(index)]; }
  /// The variable `name`: created at the first call, shared by later ones. A later call that needs
  /// another shape gets the ShapeError of a layer reused with another width.
  Symbol parameter(const char* name, const Shape& shape, const Initializer& init, i64 fan_in,
                   i64 fan_out);
  Symbol state(const char* name, const Shape& shape, const Initializer& init);
  /// Runs with every training step: an op that mutates a variable.
  void update(const Symbol& symbol);
  /// Adds `weight` times the mean of `value` (a number a sample, or any shape) to the training loss
  /// and logs that mean as `name`; those of one name are summed in the logs. GraphError unless
  /// `value` is f32.
  void add_loss(const Symbol& value, const std::string& name, double weight = 1);
  /// Logs the mean of `value` as `name`; those of one name are averaged.
  void add_metric(const std::string& name, const Symbol& value);
  /// What the call's output must keep alive.
  const std::vector<Symbol>& kept() const { return kept_; }
  /// A value that the output is made of, for functions that return more than the output.
  void result(const Symbol& symbol);
  /// ShapeError / TypeError / GraphError with this layer's name, line, inputs and `hint`.
  [[noreturn]] void fail_shape(const std::string& what, const std::string& hint) const;
  [[noreturn]] void fail_type(const std::string& what, const std::string& hint) const;
  [[noreturn]] void fail(const std::string& what, const std::string& hint) const;

 private:
  LayerImpl& layer_;
  LayerCall& call_;
  std::vector<Symbol> kept_;  // updates, losses and metrics: the call itself only knows them weakly
};

/// The context of the layer that is being built on this thread; null outside.
LayerContext* current_context();
class ContextScope {
 public:
  explicit ContextScope(LayerContext* context);
  ~ContextScope();
  ContextScope(const ContextScope&) = delete;
  ContextScope& operator=(const ContextScope&) = delete;

 private:
  LayerContext* before_;
};

struct LayerImpl {
  std::string kind;         // "Dense"
  std::string prefix;       // "dense": names are dense, dense_1, ... in graph order
  std::string name;         // set by the user, or given at compile time
  bool name_given = false;  // by the model that was built first
  Site site;                // where the factory was called
  bool trainable = true;
  bool names_what_it_gets = false;  // a function's, which may give back its input
  // Layers in whose calls it is called.
  std::set<std::weak_ptr<LayerImpl>, std::owner_less<std::weak_ptr<LayerImpl>>> around;
  int min_inputs = 1, max_inputs = 1;
  DType input_dtype = DType::f32;  // of a Sequential that begins with this layer: i32 for tokens
  std::function<Symbol(LayerContext&)> build;
  std::function<std::vector<Symbol>(LayerContext&)> build_all;  // instead, for several outputs
  std::vector<std::shared_ptr<Variable>> variables;
  // Of a model used as a layer: what it is made of now. Its weights are read, set and frozen there.
  struct Parts {
    std::vector<Layer> layers;
    std::vector<std::shared_ptr<Variable>> variables;
  };
  std::function<Parts()> parts;
  WeakSymbol first_output;
  size_t outputs = 1;  // of a call
  bool built = false;

  /// Whether its weights are trained: neither it nor a layer around it is frozen.
  bool learns() const;

  /// `Dense "dense_2" (train.cpp:14)`; without the quoted name before there is one.
  std::string describe() const;
};

/// Tells the layer of a call of the one around it.
void note_around(const LayerCall& call);

/// A Layer around an impl made by `factory` fields; the usual ending of a factory in src/nn/.
Layer make_layer(LayerImpl impl);
/// Checks of option values: throw GraphError with the layer, file:line, found, expected and hint.
void require(bool good, const char* kind, Site site, const std::string& found,
             const std::string& hint);

}  // namespace goneuron
