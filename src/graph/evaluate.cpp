#include "graph/evaluate.h"

#include <unordered_map>

#include "core/message.h"

namespace goneuron {

namespace {
bool fits(const Shape& shape, const Shape& pattern) {
  if (shape.rank() != pattern.rank()) return false;
  for (int i = 0; i < shape.rank(); ++i)
    if (pattern[i] != Any && pattern[i] != shape[i]) return false;
  return true;
}

class Evaluator {
 public:
  Evaluator(const std::vector<std::pair<Symbol, Tensor>>& inputs, DType float_type,
            StepScalars& scalars)
      : float_type_(float_type), scalars_(scalars) {
    for (const auto& [symbol, value] : inputs) given_[symbol.expr().get()] = &value;
  }

  std::vector<Tensor> run(const Expr& expr) {
    switch (expr.kind) {
      case Expr::Kind::input:
        return {bound_input(expr)};
      case Expr::Kind::variable:
        return {variable(expr)};
      case Expr::Kind::constant:
        return {converted(expr.constant)};
      default:
        return run_op(expr);
    }
  }
  void keep(const Expr& expr, std::vector<Tensor> values) { values_[&expr] = std::move(values); }
  void drop(const Expr& expr) { values_.erase(&expr); }
  const Tensor& value(const Symbol& symbol) const {
    return values_.at(symbol.expr().get())[static_cast<size_t>(symbol.output())];
  }

 private:
  Tensor converted(const Tensor& tensor) const {
    return is_floating(tensor.dtype()) && tensor.dtype() != float_type_ ? tensor.to(float_type_)
                                                                        : tensor;
  }

  Tensor bound_input(const Expr& expr) const {
    const TensorType& type = expr.outputs[0];
    const auto found = given_.find(&expr);
    const std::string name = "Input \"" + expr.name + "\"";
    if (found == given_.end())
      throw_graph({.where = name, .what = "it has no value", .hint = "pass a tensor for it"});
    const Tensor& tensor = *found->second;
    if (!fits(tensor.shape(), type.shape))
      throw_shape({.where = name,
                   .what = "the tensor for it is " + tensor.shape().str() + "; expected " +
                           type.shape.str(),
                   .hint = "pass a tensor of that shape"});
    if (tensor.dtype() != type.dtype && !(is_floating(tensor.dtype()) && is_floating(type.dtype)))
      throw_type({.where = name,
                  .what = std::string("the tensor for it is ") + dtype_name(tensor.dtype()) +
                          "; expected " + dtype_name(type.dtype),
                  .hint = "convert it with Tensor::to()"});
    return converted(tensor);
  }

  Tensor variable(const Expr& expr) const {
    const Variable& variable = *expr.variable;
    if (variable.value.shape() == variable.type.shape && variable.value.raw() != nullptr)
      return converted(variable.value);
    throw_graph({.where = "weight \"" + variable.full_name() + "\"",
                 .what = "it has no memory yet",
                 .hint = "build() or compile() the model first"});
  }

  /// What input `i` of a node is: for a mutated variable its newest value.
  Tensor operand(const Expr& expr, size_t i) const {
    const Symbol& input = expr.inputs[i];
    if (expr.op->mutates >> i & 1U) {
      const auto newest = written_.find(input.expr()->variable.get());
      if (newest != written_.end()) return newest->second;
    }
    return value(input);
  }

  std::vector<Tensor> run_op(const Expr& expr) {
    const OpDef& op = *expr.op;
    std::vector<Tensor> operands;
    std::vector<TensorType> types;
    KernelArgs args{{}, {}, expr.attrs, scalars_};
    for (size_t i = 0; i < expr.inputs.size(); ++i) {
      operands.push_back(operand(expr, i));
      Tensor& tensor = operands.back();
      types.push_back({tensor.shape(), tensor.dtype()});
      void* data = op.shape_only >> i & 1U ? nullptr : tensor.raw();
      args.inputs.push_back({data, tensor.shape(), tensor.dtype()});
    }
    std::vector<Tensor> results;
    {
      const CallScope scope(expr.call);
      for (const TensorType& type : op.infer({op, types, expr.attrs, &expr.inputs, expr.site}))
        results.emplace_back(type.shape, is_floating(type.dtype) ? float_type_ : type.dtype);
    }
    for (Tensor& result : results)
      args.outputs.push_back({result.raw(), result.shape(), result.dtype()});
    (float_type_ == DType::f64 ? op.reference.f64 : op.reference.f32)(args);
    remember_mutations(expr, results);
    return results;
  }

  void remember_mutations(const Expr& expr, const std::vector<Tensor>& results) {
    size_t k = 0;
    for (size_t i = 0; i < expr.inputs.size(); ++i) {
      if (!(expr.op->mutates >> i & 1U)) continue;
      const Expr& input = *expr.inputs[i].expr();
      if (input.kind == Expr::Kind::variable) written_[input.variable.get()] = results[k];
      ++k;
    }
  }

  DType float_type_;
  StepScalars& scalars_;
  std::unordered_map<const Expr*, const Tensor*> given_;
  std::unordered_map<const Expr*, std::vector<Tensor>> values_;
  std::unordered_map<const Variable*, Tensor> written_;
};
}  // namespace

std::vector<Tensor> evaluate(const std::vector<Symbol>& outputs,
                             const std::vector<std::pair<Symbol, Tensor>>& inputs, DType float_type,
                             StepScalars& scalars, const Visit& visit) {
  if (float_type != DType::f32 && float_type != DType::f64)
    throw_type(
        {.where = "evaluate",
         .what = std::string("the reference kernels cannot compute in ") + dtype_name(float_type),
         .hint = "use f32 or f64"});
  const auto order = topological_order(outputs);
  std::unordered_map<const Expr*, i64> uses;  // by nodes still to run, and by the result
  for (const Expr* expr : order)
    for (const Symbol& input : expr->inputs) ++uses[input.expr().get()];
  for (const Symbol& output : outputs) ++uses[output.expr().get()];

  Evaluator evaluator(inputs, float_type, scalars);
  for (const Expr* expr : order) {
    std::vector<Tensor> values = evaluator.run(*expr);
    if (visit) visit(*expr, values);
    evaluator.keep(*expr, std::move(values));
    for (const Symbol& input : expr->inputs)
      if (--uses[input.expr().get()] == 0) evaluator.drop(*input.expr());
  }
  std::vector<Tensor> results;
  for (const Symbol& output : outputs) results.push_back(evaluator.value(output));
  return results;
}

}  // namespace goneuron
