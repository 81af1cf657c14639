// Builds the layer that a case of golden_layers.json describes, through the public factories.
// Used by golden_layers_test and golden_model_test.
#pragma once

#include "golden.h"
#include "goneuron/layers.h"
#include "graph/layer_impl.h"

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

inline Padding padding_of(const Json& options) {
  const Json& padding = options.at("padding");
  return padding.is_string() ? Same : Padding(padding.get<i64>());
}

inline Size2 size_of(const Json& pair) { return {pair.at(0).get<i64>(), pair.at(1).get<i64>()}; }

inline Layer layer_of(const Json& one) {
  const std::string kind = one.at("layer");
  const Json& o = one.at("options");
  if (kind == "Dense")
    return Dense(o.at("units").get<i64>(), {.activation = activation_of(o), .bias = o.at("bias")});
  if (kind == "Conv2D")
    return Conv2D(o.at("filters").get<i64>(), size_of(o.at("kernel")),
                  {.stride = size_of(o.at("stride")), .padding = padding_of(o), .activation = activation_of(o), .bias = o.at("bias")});
  if (kind == "MaxPool2D")
    return MaxPool2D(size_of(o.at("kernel")), {.stride = size_of(o.at("stride")), .padding = padding_of(o)});
  if (kind == "AvgPool2D")
    return AvgPool2D(size_of(o.at("kernel")), {.stride = size_of(o.at("stride")), .padding = padding_of(o)});
  if (kind == "GlobalAvgPool2D") return GlobalAvgPool2D();
  if (kind == "Flatten") return Flatten();
  if (kind == "Reshape") return Reshape(Shape(o.at("shape").get<std::vector<i64>>()));
  if (kind == "Dropout") return Dropout(o.at("rate").get<double>());
  if (kind == "Add") return Add();
  if (kind == "Concat") return Concat({.axis = o.at("axis")});
  if (kind == "Activate") return Activate(activation_of(o));
  if (kind == "BatchNorm")
    return BatchNorm({.momentum = o.at("momentum"), .epsilon = o.at("epsilon"), .scale = o.at("scale"), .shift = o.at("shift")});
  throw std::runtime_error("no layer " + kind);
}

/// The variables of a built layer that have `role`, in the order of creation: weight, bias.
inline std::vector<std::shared_ptr<Variable>> variables_of(const Layer& layer, Role role) {
  std::vector<std::shared_ptr<Variable>> all;
  for (const auto& variable : layer.impl()->variables)
    if (variable->role == role) all.push_back(variable);
  return all;
}

}  // namespace goneuron::golden
