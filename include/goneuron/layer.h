// Layer and Activation: handles that turn symbols into symbols; copying a Layer shares its weights.
// Layers come from the factories in layers.h; a function from symbols to a symbol is a layer too.
#pragma once

#include "goneuron/callable.h"
#include "goneuron/symbol.h"

namespace goneuron {

struct LayerImpl;

/// A weight (or a state such as a running mean) of a built layer, by name.
struct Weight {
  std::string name;       ///< "dense_1/weight"
  Tensor value;           ///< shares the model's memory: writing to it changes the model
  bool trainable = true;  ///< false for state and for frozen layers
};

class Activation {
 public:
  /// For the constants below: `op` names the op, `alpha` its parameter.
  constexpr Activation(const char* op, double alpha) : op_(op), alpha_(alpha) {}
  /// ReLU() is ReLU; LeakyReLU(0.2) and ELU(0.5) set the slope or scale of the negative side.
  constexpr Activation operator()() const { return *this; }
  constexpr Activation operator()(double alpha) const { return {op_, alpha}; }
  Symbol operator()(const Symbol& x, Site site = Site::here()) const;

  const char* op() const { return op_; }
  double alpha() const { return alpha_; }

 private:
  const char* op_;
  double alpha_;
};

inline constexpr Activation Linear{"linear", 0};
inline constexpr Activation ReLU{"relu", 0};
inline constexpr Activation LeakyReLU{"leaky_relu", 0.01};  ///< x < 0 ? alpha x : x
inline constexpr Activation Sigmoid{"sigmoid", 0};
inline constexpr Activation Tanh{"tanh", 0};
inline constexpr Activation Softmax{"softmax", 0};         ///< over the last axis
inline constexpr Activation LogSoftmax{"log_softmax", 0};  ///< over the last axis
inline constexpr Activation GELU{"gelu", 0};  ///< exact: x Phi(x), Hendrycks & Gimpel 2016
inline constexpr Activation SiLU{"silu", 0};  ///< x sigmoid(x)
inline constexpr Activation ELU{"elu", 1.0};  ///< x < 0 ? alpha (exp x - 1) : x
inline constexpr Activation SELU{"selu", 0};  ///< Klambauer et al. 2017

class Layer {
 public:
  Layer() = default;
  explicit Layer(Shared<LayerImpl> impl) : impl_(static_cast<Shared<LayerImpl>&&>(impl)) {}
  Layer(const Activation& activation, Site site = Site::here());  // NOLINT: converts on purpose
  /// A custom layer: any function from a symbol to a symbol, or from several.
  Layer(const char* name, Callable<Symbol(Symbol)> function, Site site = Site::here());
  Layer(const char* name, Callable<Symbol(const std::vector<Symbol>&)> function,
        Site site = Site::here());

  Symbol operator()(const Symbol& x, Site site = Site::here()) const;
  Symbol operator()(const std::vector<Symbol>& inputs, Site site = Site::here()) const;

  /// Every output, of a model with several outputs used as a layer; of others their one.
  std::vector<Symbol> call_all(const std::vector<Symbol>& inputs, Site site = Site::here()) const;

  /// The name in messages, summaries and files; "dense", "dense_1", ... in graph order unless set.
  const std::string& name() const;
  Layer& named(const std::string& name);
  /// False: the weights, and those of layers that it is made of, stay as they are in training,
  /// wherever those are used, and BatchNorm normalises by its running statistics, as in inference,
  /// and leaves them (as Keras' does). Taken up by the first training step after the next
  /// compile(). A model used as a layer sets all layers that it is made of.
  bool trainable() const;
  void set_trainable(bool trainable);
  /// Weights and state; empty before the layer is built.
  std::vector<Weight> weights() const;
  /// Copies `values` into the weights, in the order of weights(). Throws ShapeError naming the
  /// first that differs.
  void set_weights(const std::vector<Tensor>& values, Site site = Site::here());
  /// The output of this layer's first call: Model(model.input(), layer.output()) is an intermediate
  /// model.
  Symbol output(Site site = Site::here()) const;
  /// A deep copy with weights of its own.
  Layer clone() const;

  const Shared<LayerImpl>& impl() const { return impl_; }

 private:
  Shared<LayerImpl> impl_;
};

/// In the function of a custom layer: adds `weight` times the mean of `value` (one number a sample,
/// or any shape) to the loss of the models that use the layer, in training and in evaluation, and
/// logs that mean as `name`; the values of layers that give one name are summed in the logs. Throws
/// GraphError outside of a layer's function, or unless `value` is f32.
void add_loss(const Symbol& value, const char* name, double weight = 1, Site site = Site::here());
/// The same for a number that is only logged; of layers that give one name, the average is.
void add_metric(const char* name, const Symbol& value, Site site = Site::here());

/// x | Dense(10) | ReLU
Symbol operator|(const Symbol& x, const Layer& layer);

}  // namespace goneuron
