// Builds the layer that a case of golden_layers.json describes, through the public factories, and
// its gradients. Used by golden_layers_test (reference kernels) and golden_backends_test (plans).
#pragma once

#include "golden.h"
#include "golden_attention.h"
#include "golden_conv.h"
#include "golden_moe.h"
#include "golden_recurrent.h"
#include "golden_sequence.h"
#include "goneuron/layers.h"
#include "graph/layer_impl.h"
#include "graph/op_def.h"
#include "graph/passes/differentiate.h"

namespace goneuron::golden {

inline Activation activation_of(const Json& options) {
  const std::string name = options.at("activation");
  const double alpha = options.at("alpha");
  for (const Activation& one : {Linear, ReLU, Sigmoid, Tanh, Softmax, LogSoftmax, GELU, SiLU, SELU})
    if (name == one.op()) return one;
  if (name == LeakyReLU.op()) return LeakyReLU(alpha);
  if (name == ELU.op()) return ELU(alpha);
  throw std::runtime_error("no activation " + name);
}

inline Layer layer_of(const Json& one) {
  const std::string kind = one.at("layer");
  const Json& o = one.at("options");
  if (kind == "Dense")
    return Dense(o.at("units").get<i64>(), {.activation = activation_of(o), .bias = o.at("bias")});
  if (kind == "Conv2D" || kind == "DepthwiseConv2D")
    return convolution_of(kind, o, activation_of(o));
  if (kind == "MaxPool2D")
    return MaxPool2D(size_of(o.at("kernel")),
                     {.stride = size_of(o.at("stride")), .padding = padding_of(o)});
  if (kind == "AvgPool2D")
    return AvgPool2D(size_of(o.at("kernel")),
                     {.stride = size_of(o.at("stride")), .padding = padding_of(o)});
  if (kind == "GlobalAvgPool2D") return GlobalAvgPool2D();
  if (kind == "Flatten") return Flatten();
  if (kind == "Reshape") return Reshape(Shape(o.at("shape").get<std::vector<i64>>()));
  if (kind == "Dropout") return Dropout(o.at("rate").get<double>());
  if (kind == "Add") return Add();
  if (kind == "Concat") return Concat({.axis = o.at("axis")});
  if (kind == "Activate") return Activate(activation_of(o));
  if (kind == "BatchNorm")
    return BatchNorm({.momentum = o.at("momentum"),
                      .epsilon = o.at("epsilon"),
                      .scale = o.at("scale"),
                      .shift = o.at("shift")});
  if (kind == "MoE" || kind == "ExpertFeedForward") {
    const bool swiglu = o.at("activation") == "swiglu";
    return mixture_of(one, swiglu ? SwiGLU : FeedForward(activation_of(o)));
  }
  if (kind == "MultiHeadAttention") return multi_head_attention_of(o);
  if (kind == "TransformerBlock") return transformer_block_of(o);
  if (kind == "LSTM" || kind == "GRU") return recurrent_layer_of(kind, o);
  if (kind == "TimeDistributed") return TimeDistributed(layer_of(o.at("inner")));
  if (const auto layer = sequence_layer_of(kind, o)) return *layer;
  throw std::runtime_error("no layer " + kind);
}

/// What inputs hold.
using Feeds = std::vector<std::pair<Symbol, Tensor>>;

/// The variables of a built layer that have `role`, in the order of creation: weight, bias.
inline std::vector<std::shared_ptr<Variable>> variables_of(const Layer& layer, Role role) {
  std::vector<std::shared_ptr<Variable>> all;
  for (const auto& variable : layer.impl()->variables)
    if (variable->role == role) all.push_back(variable);
  return all;
}

/// A case as symbols: the layer called on inputs, with the case's weights, and the gradient that
/// comes from above.
struct LayerCase {
  LayerCase(const Json& one, DType precision) : layer(layer_of(one)) {
    for (const Json& input : one.at("inputs")) inputs.push_back(feed(tensor_of(input, precision)));
    std::vector<Symbol> all = inputs;
    if (one.contains("mask")) all.push_back(feed(tensor_of(one.at("mask"), precision)));
    if (one.contains("fixed_inputs"))
      for (const Json& input : one.at("fixed_inputs"))
        all.push_back(feed(
            tensor_of(input.at("tensor"), input.at("dtype") == "i32" ? DType::i32 : precision)));
    output = all.size() == 1 ? layer(all[0]) : layer(all);
    set(Role::parameter, one.at("weights"), precision);
    if (one.contains("state")) set(Role::state, one.at("state"), precision);
    upstream = feed(tensor_of(one.at("upstream"), precision));
  }

  /// The layer's own variables, then those of the layers inside it.
  std::vector<std::shared_ptr<Variable>> variables(Role role) const {
    auto all = variables_of(layer, role);
    for (const Expr* expr : topological_order({output}))
      if (expr->kind == Expr::Kind::variable && expr->variable->role == role &&
          std::find(all.begin(), all.end(), expr->variable) == all.end())
        all.push_back(expr->variable);
    return all;
  }

  void set(Role role, const Json& values, DType precision) {
    const auto variables = this->variables(role);
    ASSERT_EQ(variables.size(), values.size());
    for (size_t i = 0; i < variables.size(); ++i) {
      ASSERT_EQ(variables[i]->type.shape, shape_of(values[i])) << variables[i]->name;
      variables[i]->value = tensor_of(values[i], precision);
    }
  }

  Symbol feed(const Tensor& value) {
    const DType dtype = is_floating(value.dtype()) ? DType::f32 : value.dtype();
    Symbol symbol =
        input_symbol({value.shape(), dtype}, std::string(1, static_cast<char>('a' + feeds.size())));
    feeds.emplace_back(symbol, value);
    return symbol;
  }

  /// Gradients of sum(of * upstream) by the inputs, then by the parameters.
  std::vector<Symbol> gradients(const Symbol& of) const {
    std::vector<Symbol> wrt = inputs;
    for (const auto& variable : variables(Role::parameter))
      wrt.push_back(variable_symbol(variable));
    std::vector<i64> axes(static_cast<size_t>(of.shape().rank()));
    for (size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<i64>(i);
    const Symbol loss =
        make("sum", {make("mul", {of, upstream})}, {{"axes", axes}, {"keep", i64{0}}});
    return differentiate(loss, wrt);
  }

  Layer layer;
  std::vector<Symbol> inputs;  // those with a gradient
  Symbol output, upstream;
  Feeds feeds;
};

}  // namespace goneuron::golden
