#include "graph/passes/differentiate.h"

#include <unordered_map>

#include "core/message.h"
#include "graph/layer_impl.h"
#include "graph/op_def.h"

namespace goneuron {

namespace {
/// The node's key: a variable is one value, however many Exprs stand for it.
const void* key(const Expr* expr) {
  return expr->kind == Expr::Kind::variable ? static_cast<const void*>(expr->variable.get()) : expr;
}

void accumulate(Symbol& into, const Symbol& gradient) {
  into = into ? make("add", {into, gradient}) : gradient;
}
/// The path from a wanted weight to the loss leads through an op without a gradient.
[[noreturn]] void fail_cut(const Symbol& cut, const std::unordered_map<const void*, bool>& wanted) {
  std::string weight = "what it is differentiated by";
  for (const Expr* expr : topological_order({cut})) {
    const auto found = wanted.find(key(expr));
    if (expr->kind != Expr::Kind::variable || found == wanted.end() || !found->second) continue;
    weight = "the weight \"" + expr->variable->full_name() + "\"";
    break;
  }
  const OpDef& op = *cut.expr()->op;
  throw_graph({.where = origin_of(cut),
               .what = "the loss reaches " + weight + " through \"" + op.name +
                       "\", which has no gradient (" + op.gradient.reason() +
                       "); expected ops that have one",
               .hint = "use another op in the loss, or freeze the layers before it: "
                       "set_trainable(false)"});
}
}  // namespace

std::vector<Symbol> differentiate(const Symbol& loss, const std::vector<Symbol>& wrt,
                                  const FrozenNorms& frozen) {
  const auto order = topological_order({loss});
  // Only nodes on a path from a wanted symbol to the loss get a gradient.
  std::unordered_map<const void*, bool> wanted;
  for (const Symbol& symbol : wrt) wanted[key(symbol.expr().get())] = true;
  for (const Expr* expr : order)
    for (const Symbol& input : expr->inputs)
      if (wanted[key(input.expr().get())] && !(expr->op->mutates != 0) &&
          !expr->op->gradient.is_stop())
        wanted[key(expr)] = true;

  std::unordered_map<const void*, std::vector<Symbol>> gradients;
  gradients[key(loss.expr().get())] = {static_cast<size_t>(loss.expr()->outputs.size()), Symbol{}};
  gradients[key(loss.expr().get())][static_cast<size_t>(loss.output())] = scalar(1);

  std::unordered_map<const Expr*, Symbol> handle;  // a Symbol for each Expr of the order
  for (const Expr* expr : order)
    for (const Symbol& input : expr->inputs) handle[input.expr().get()] = output_of(input, 0);
  handle[loss.expr().get()] = output_of(loss, 0);

  for (auto at = order.rbegin(); at != order.rend(); ++at) {
    const Expr& expr = **at;
    const auto found = gradients.find(key(&expr));
    if (expr.kind != Expr::Kind::op || found == gradients.end() || !wanted[key(&expr)]) continue;
    const OpDef& op = frozen.count(&expr) != 0 ? op_named("batch_norm_infer") : *expr.op;
    if (op.gradient.function() == nullptr) fail_cut(handle[&expr], wanted);
    const CallScope scope(expr.call);
    const GradContext context{handle[&expr], found->second};
    const auto inputs = op.gradient.function()(context);
    for (size_t i = 0; i < expr.inputs.size(); ++i) {
      const Symbol& input = expr.inputs[i];
      if (i >= inputs.size() || !inputs[i] || !wanted[key(input.expr().get())]) continue;
      auto& slots = gradients[key(input.expr().get())];
      slots.resize(input.expr()->outputs.size());
      accumulate(slots[static_cast<size_t>(input.output())], inputs[i]);
    }
  }

  std::vector<Symbol> result;
  for (const Symbol& symbol : wrt) {
    const auto found = gradients.find(key(symbol.expr().get()));
    result.push_back(
        found == gradients.end() ? Symbol{} : found->second[static_cast<size_t>(symbol.output())]);
  }
  return result;
}

}  // namespace goneuron
