#include "graph/expr.h"

#include <unordered_set>

#include "core/message.h"
#include "graph/layer_impl.h"
#include "graph/op_def.h"

namespace goneuron {

namespace {
thread_local std::shared_ptr<LayerCall> active_call;

std::shared_ptr<Expr> new_expr(Expr::Kind kind, std::vector<TensorType> outputs, Site site) {
  auto expr = std::make_shared<Expr>();
  expr->kind = kind;
  expr->outputs = std::move(outputs);
  expr->call = active_call;
  expr->site = site;
  return expr;
}
}  // namespace

namespace {
using Doomed = std::vector<Shared<const Expr>>;
thread_local Doomed* doomed =
    nullptr;  // what the Expr destructor at work on this thread has still to release
}  // namespace

Expr::~Expr() {
  Doomed mine;
  const bool outermost = doomed == nullptr;
  if (outermost) doomed = &mine;
  for (const Symbol& input : inputs) doomed->push_back(input.expr());
  inputs.clear();
  call.reset();
  if (!outermost) return;
  while (!mine.empty()) {
    const auto last = std::move(mine.back());
    mine.pop_back();
  }
  doomed = nullptr;
}

Symbol keeping(const Symbol& symbol, std::vector<Symbol> others) {
  struct Kept {
    Symbol symbol;
    std::vector<Symbol> others;
  };
  KeepAlive kept = owned(std::make_shared<Kept>(Kept{symbol, std::move(others)}));
  return {{symbol.expr().get(), std::move(kept)}, symbol.output()};
}

std::shared_ptr<LayerCall> current_call() { return active_call; }
CallScope::CallScope(std::shared_ptr<LayerCall> call) : before_(std::move(active_call)) {
  active_call = std::move(call);
}
CallScope::~CallScope() { active_call = std::move(before_); }

std::string Variable::full_name() const {
  const auto owner = layer.lock();
  return owner ? owner->name + "/" + name : name;
}

const Shape& Symbol::shape() const {
  if (!expr_)
    throw_graph(
        {.what = "an empty Symbol has no shape", .hint = "make it with Input() or a layer"});
  return expr_->outputs[static_cast<size_t>(output_)].shape;
}

DType Symbol::dtype() const {
  if (!expr_)
    throw_graph(
        {.what = "an empty Symbol has no dtype", .hint = "make it with Input() or a layer"});
  return expr_->outputs[static_cast<size_t>(output_)].dtype;
}

Symbol make(const OpDef& op, std::vector<Symbol> inputs, Attrs attrs, Site site) {
  if (active_call && (*site.file == '\0' || in_library())) site = active_call->layer->site;
  std::vector<TensorType> types;
  for (const Symbol& input : inputs) {
    if (!input)
      throw_graph({.where = std::string(op.name) + " (" + site_text(site) + ")",
                   .what = "an input is an empty Symbol",
                   .hint = "make it with Input() or a layer"});
    types.push_back({input.shape(), input.dtype()});
  }
  const InferContext context{op, types, attrs, &inputs, site};
  const auto count = static_cast<int>(inputs.size());
  if (count < op.min_inputs || count > op.max_inputs)
    context.fail(std::to_string(count) + " inputs; it takes " + std::to_string(op.min_inputs) +
                     " to " + std::to_string(op.max_inputs),
                 "check the call");
  auto expr = new_expr(Expr::Kind::op, op.infer(context), site);
  expr->op = &op;
  expr->attrs = std::move(attrs);
  expr->inputs = std::move(inputs);
  return {share(std::move(expr)), 0};
}

Symbol make(std::string_view op, std::vector<Symbol> inputs, Attrs attrs, Site site) {
  return make(op_named(op), std::move(inputs), std::move(attrs), site);
}

Symbol output_of(const Symbol& symbol, int index) { return {symbol.expr(), index}; }

Symbol input_symbol(const TensorType& type, std::string name, Site site) {
  auto expr = new_expr(Expr::Kind::input, {type}, site);
  expr->call = nullptr;
  expr->name = std::move(name);
  return {share(std::move(expr)), 0};
}

Symbol variable_symbol(std::shared_ptr<Variable> variable) {
  auto expr = new_expr(Expr::Kind::variable, {variable->type}, {});
  expr->variable = std::move(variable);
  return {share(std::move(expr)), 0};
}

Symbol constant_symbol(const Tensor& value, Site site) {
  auto expr = new_expr(Expr::Kind::constant, {{value.shape(), value.dtype()}}, site);
  expr->constant = value;
  return {share(std::move(expr)), 0};
}

Symbol scalar(double value) {
  Tensor tensor{Shape{}};
  tensor.data<float>()[0] = static_cast<float>(value);
  return constant_symbol(tensor);
}

std::vector<const Expr*> topological_order(const std::vector<Symbol>& outputs) {
  std::vector<const Expr*> order;
  std::unordered_set<const Expr*> seen;
  std::vector<std::pair<const Expr*, size_t>>
      stack;  // explicit: graphs may be deeper than the call stack
  for (const Symbol& output : outputs) {
    if (!output || !seen.insert(output.expr().get()).second) continue;
    stack.emplace_back(output.expr().get(), 0);
    while (!stack.empty()) {
      auto& [expr, next] = stack.back();
      if (next == expr->inputs.size()) {
        order.push_back(expr);
        stack.pop_back();
      } else {
        const Expr* input = expr->inputs[next++].expr().get();
        if (seen.insert(input).second) stack.emplace_back(input, 0);
      }
    }
  }
  return order;
}

std::string origin_of(const Symbol& symbol) {
  const Expr& expr = *symbol.expr();
  if (expr.kind == Expr::Kind::variable)
    return place("the weight \"" + expr.variable->full_name() + "\"", expr.variable->site);
  if (expr.kind == Expr::Kind::input)
    return place("Input" + (expr.name.empty() ? "" : " \"" + expr.name + "\""), expr.site);
  const std::string own = place(expr.op ? expr.op->name : "a constant", expr.site);
  if (!expr.call) return own;
  // An op in a function of the user's has a line of its own.
  const LayerImpl& layer = *expr.call->layer;
  const bool elsewhere = *expr.site.file != '\0' && site_text(expr.site) != site_text(layer.site);
  return elsewhere ? own + " in " + layer.describe() : layer.describe();
}

std::string from_text(const Symbol& symbol) {
  return (symbol.expr()->kind == Expr::Kind::variable ? "   " : "   from ") + origin_of(symbol);
}

namespace {
Message op_message(const InferContext& context, const std::string& what, const std::string& hint) {
  Message message{.what = what, .hint = hint};
  const auto call = current_call();
  const std::string own = place(context.op.name, context.site);
  // An op in a function of the user's has a line of its own, which says more than the layer's.
  const bool elsewhere =
      call && *context.site.file != '\0' && site_text(context.site) != site_text(call->layer->site);
  message.where = call && !elsewhere ? call->layer->describe() : own;
  if (elsewhere) message.lines.emplace_back("within", call->layer->describe());
  for (size_t i = 0; i < context.inputs.size(); ++i) {
    const TensorType& type = context.inputs[i];
    std::string text = type.shape.str();
    if (type.dtype != DType::f32) text += std::string(" ") + dtype_name(type.dtype);
    if (context.symbols) text += from_text((*context.symbols)[i]);
    message.lines.emplace_back(
        context.inputs.size() == 1 ? "input" : "input " + std::to_string(i + 1), text);
  }
  return message;
}
}  // namespace

void InferContext::fail(const std::string& what, const std::string& hint) const {
  throw_shape(op_message(*this, what, hint));
}
void InferContext::fail_type(const std::string& what, const std::string& hint) const {
  throw_type(op_message(*this, what, hint));
}

}  // namespace goneuron
