// check_layer(): the contract of a layer in one call. Used by the tests of layers.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "goneuron/layers.h"
#include "graph/layer_impl.h"
#include "graph/op_def.h"

namespace goneuron {

struct Contract {
  Shape input, output;  // of a sample
  i64 parameters = 0;
  std::vector<std::string> names = {};  // variables, in order
  DType dtype = DType::f32;             // of the input
};

inline std::vector<const Variable*> variables_of(const Symbol& symbol) {
  std::vector<const Variable*> found;
  for (const Expr* expr : topological_order({symbol}))
    if (expr->kind == Expr::Kind::variable) found.push_back(expr->variable.get());
  return found;
}

/// Shapes, parameter count, names, sharing by a second call, weights of its own for a clone.
inline void check_layer(const Layer& layer, const Contract& contract) {
  SCOPED_TRACE(layer.impl()->kind);
  EXPECT_EQ(layer.impl()->input_dtype, contract.dtype);
  const Symbol y = layer(Input(contract.input, contract.dtype));
  EXPECT_EQ(y.shape().str(), contract.output.with_batch(Any).str());
  EXPECT_EQ(y.dtype(), DType::f32);
  EXPECT_TRUE(layer.output() == y);
  i64 parameters = 0;
  std::vector<std::string> names;
  for (const auto& variable : layer.impl()->variables) {
    names.push_back(variable->name);
    EXPECT_EQ(variable->role == Role::parameter, variable->trainable);
    if (variable->role == Role::parameter) parameters += variable->type.shape.elements();
  }
  EXPECT_EQ(parameters, contract.parameters);
  EXPECT_EQ(names, contract.names);
  std::vector<const Variable*> in_order;
  for (const auto& variable : layer.impl()->variables) in_order.push_back(variable.get());
  EXPECT_EQ(in_order, variables_of(y)) << "the layer's order is the model's";
  for (const Expr* expr : topological_order({y})) {
    if (expr->kind == Expr::Kind::op) {
      EXPECT_EQ(expr->call->layer, pointer_of(layer.impl())) << expr->op->name;
    }
  }

  const Symbol again = layer(Input(contract.input, contract.dtype));
  EXPECT_EQ(variables_of(again), variables_of(y)) << "a second call shares the weights";
  EXPECT_EQ(layer.impl()->variables.size(), names.size());
  EXPECT_TRUE(layer.output() == y) << "output() is the first call's";

  const Layer twin = layer.clone();
  EXPECT_EQ(twin.impl()->variables.size(), names.size());
  const Symbol other = twin(Input(contract.input, contract.dtype));
  EXPECT_EQ(other.shape().str(), y.shape().str());
  for (const Variable* mine : variables_of(y))
    for (const Variable* its : variables_of(other)) EXPECT_NE(mine, its);
}

}  // namespace goneuron
