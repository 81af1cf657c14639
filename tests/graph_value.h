// The value of a symbol, by the ops' reference kernels, one Expr after the other; and the text of
// an exception. Used by tests of layers, losses and functions: no plan, no fusion, no engine.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <utility>

#include "goneuron/error.h"
#include "graph/layer_impl.h"
#include "graph/op_def.h"

namespace goneuron {

using Feeds = std::vector<std::pair<Symbol, Tensor>>;

class GraphValue {
 public:
  explicit GraphValue(const Feeds& feeds, const StepScalars& scalars = {}) : scalars(scalars) {
    for (const auto& [symbol, tensor] : feeds) values_[symbol.expr().get()] = {tensor};
  }

  Tensor operator()(const Symbol& symbol) {
    for (const Expr* expr : topological_order({symbol})) compute(*expr);
    return values_.at(symbol.expr().get())[static_cast<size_t>(symbol.output())];
  }

  StepScalars scalars;

 private:
  void compute(const Expr& expr) {
    if (values_.count(&expr) != 0) return;
    if (expr.kind == Expr::Kind::variable)
      values_[&expr] = {expr.variable->value};
    else if (expr.kind == Expr::Kind::constant)
      values_[&expr] = {expr.constant};
    else if (expr.kind == Expr::Kind::op)
      run(expr);
    else
      throw std::runtime_error("an input has no value");
  }

  void run(const Expr& expr) {
    const OpDef& op = *expr.op;
    std::vector<TensorType> types;
    std::vector<Tensor> inputs, outputs;
    for (const Symbol& input : expr.inputs) {
      inputs.push_back(values_.at(input.expr().get())[static_cast<size_t>(input.output())]);
      types.push_back({inputs.back().shape(), inputs.back().dtype()});
    }
    const InferContext context{op, types, expr.attrs, nullptr, expr.site};
    for (const TensorType& type : op.infer(context)) outputs.emplace_back(type.shape, type.dtype);
    size_t mutated = 0;  // output k is the memory of the k-th variable that the op writes
    for (size_t i = 0; i < inputs.size(); ++i)
      if ((op.mutates >> i & 1U) != 0) outputs[mutated++] = inputs[i];
    op.reference.f32({refs(outputs), refs(inputs), expr.attrs, scalars});
    values_[&expr] = outputs;
  }

  static std::vector<TensorRef> refs(std::vector<Tensor>& tensors) {
    std::vector<TensorRef> all;
    for (Tensor& tensor : tensors) all.push_back({tensor.raw(), tensor.shape(), tensor.dtype()});
    return all;
  }

  std::map<const Expr*, std::vector<Tensor>> values_;
};

inline Tensor floats(const std::vector<float>& values, const Shape& shape) {
  return Tensor(values, shape);
}

inline void expect_near(const Tensor& value, const std::vector<float>& wanted, double tolerance) {
  ASSERT_EQ(value.size(), static_cast<i64>(wanted.size()));
  for (size_t i = 0; i < wanted.size(); ++i) {
    const float found = value.data<float>()[i];
    if (std::isinf(wanted[i])) {
      EXPECT_EQ(found, wanted[i]) << "element " << i;
    } else {
      EXPECT_NEAR(found, wanted[i], tolerance) << "element " << i;
    }
  }
}

/// The full text of the exception E that `function` throws.
template <class E, class F>
std::string text_of(F&& function) {
  try {
    function();
  } catch (const E& error) {
    return error.what();
  } catch (const std::exception& error) {
    return std::string("another exception: ") + error.what();
  }
  return "no exception";
}

}  // namespace goneuron
