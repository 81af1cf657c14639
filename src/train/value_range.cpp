#include "train/value_range.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "core/message.h"
#include "data/convert.h"
#include "graph/evaluate.h"
#include "graph/op_def.h"

namespace goneuron {

namespace {

/// Through casts and reshapes to what the batch brings.
bool is_target(Symbol symbol, const std::vector<Symbol>& targets) {
  while (symbol.expr()->kind == Expr::Kind::op && symbol.expr()->inputs.size() == 1)
    symbol = symbol.expr()->inputs[0];
  return std::find(targets.begin(), targets.end(), symbol) != targets.end();
}

std::string target_hint(const ModelImpl& model) {
  if (!model.class_weight.empty() && model.loss_names().find("cross_entropy") == std::string::npos)
    return "a class_weight is for targets that are classes: leave it out, or weigh the samples by "
           "Dataset::weighted()";
  return "the loss takes targets that are probabilities, 0 for no and 1 for yes: scale them, or "
         "use MSE for other numbers";
}

[[noreturn]] void refuse(const Refused& step, const Symbol& checked, const Tensor& values, i64 at) {
  const i64 width = values.size() / std::max<i64>(values.shape()[0], 1);
  const bool target = is_target(checked, step.lease.graph()->y_true);
  Message message{.where = step.where};
  message.what = std::string(target ? "the target" : "the prediction") + " in row " +
                 std::to_string(step.row(at / width));
  if (width != 1) message.what += ", " + element_text(values.shape().without_batch(), at % width);
  message.what += " of " + step.data + " is " + fmt::format("{}", values.data<float>()[at]) +
                  "; expected 0 to 1";
  message.lines = {{"loss", step.model.loss_names()}};
  if (!target)
    message.lines.emplace_back("predictions", checked.shape().str() + from_text(checked));
  message.hint = target ? target_hint(step.model)
                        : "the loss takes probabilities: end the model with Softmax, or Sigmoid "
                          "for BinaryCrossEntropy, or say {.from_logits = true} to the loss";
  throw_data(message);
}

/// Whatever a step computes.
std::vector<Symbol> outputs_of(const TrainGraph& graph) {
  std::vector<Symbol> all{graph.loss};
  all.insert(all.end(), graph.logged.begin(), graph.logged.end());
  for (const auto& [name, evidence] : graph.evidence) all.push_back(evidence.rows);
  return all;
}

}  // namespace

void refuse_value(const Refused& step, const std::vector<std::pair<Symbol, Tensor>>& batch) {
  for (const Expr* expr : topological_order(outputs_of(*step.lease.graph()))) {
    if (!expr->op || std::string_view(expr->op->name) != "check_range") continue;
    StepScalars scalars = step.lease->scalars();
    const Tensor values = evaluate(expr->inputs, batch, DType::f32, scalars)[0];
    const auto low = static_cast<float>(expr->attrs.real("low"));
    const auto high = static_cast<float>(expr->attrs.real("high"));
    const float* first = values.data<float>();
    const float* end = first + values.size();
    const float* bad = std::find_if(first, end, [&](float v) { return v < low || v > high; });
    if (bad != end) refuse(step, expr->inputs[0], values, bad - first);
  }
  throw_data({.where = step.where,
              .what = "a value that the loss reads is not in [0, 1], in a row of " + step.data,
              .hint = "check the targets, and that the model's outputs are probabilities"});
}

}  // namespace goneuron
