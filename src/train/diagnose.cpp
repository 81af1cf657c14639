#include "train/diagnose.h"

#include <algorithm>
#include <cmath>

#include "core/message.h"
#include "data/convert.h"
#include "graph/evaluate.h"
#include "graph/op_def.h"
#include "train/index_range.h"
#include "train/value_range.h"

namespace goneuron {

namespace {

/// Inputs and targets of the step.
struct BatchValue {
  std::string name;  // "x", or "x \"image\"" among several
  Symbol symbol;
  Tensor value;
};
/// The rows of a table of bytes, as the step reads them.
Tensor rows_of(const Tensor& table, const Tensor& rows) {
  const Shape sample = table.shape().without_batch();
  Tensor value(sample.with_batch(rows.size()), DType::f32);
  gather_for(GatherRole::input, table.dtype(), value.dtype(), "")(
      value.raw(), table.raw(), reinterpret_cast<const std::uint32_t*>(rows.data<std::int32_t>()),
      rows.size(), {sample.elements()});
  return value;
}

std::vector<BatchValue> batch_of(const Refused& step) {
  std::vector<BatchValue> all;
  const ModelImpl& m = step.model;
  const StepSpec& spec = step.lease.spec();
  const auto add = [&](const Symbol& symbol, std::string name) {
    const size_t i = all.size();
    Tensor value = step.lease->input_value(static_cast<int>(i));
    if (i < spec.tables.size() && !spec.tables[i].empty()) value = rows_of(spec.tables[i], value);
    all.push_back({std::move(name), symbol, std::move(value)});
  };
  for (size_t i = 0; i < m.inputs.size(); ++i)
    add(m.inputs[i], m.inputs.size() == 1 ? "x" : "x \"" + m.input_names[i] + "\"");
  for (size_t i = 0; i < m.heads.size(); ++i)
    add(step.lease.graph()->y_true[i],
        m.heads.size() == 1
            ? "y"
            : "y \"" + m.output_names[static_cast<size_t>(m.heads[i].output)] + "\"");
  if (spec.targets.size() > m.heads.size())
    add(step.lease.graph()->y_true.back(), "the samples' weights");
  return all;
}

/// The first element that is not finite; -1 when all are.
i64 first_not_finite(const Tensor& tensor) {
  if (tensor.dtype() != DType::f32) return -1;
  const float* values = tensor.data<float>();
  const float* end = values + tensor.size();
  const float* bad = std::find_if(values, end, [](float v) { return !std::isfinite(v); });
  return bad == end ? -1 : bad - values;
}

std::string step_text(const Refused& step) {
  return "step " + std::to_string(step.lease->scalars().counter + 1) + " of training";
}

/// The labels that an op of the loss reads: the target that they come from.
const BatchValue* labels_of(const Expr& op, const std::vector<BatchValue>& batch) {
  Symbol labels = op.inputs[1];
  while (labels.expr()->kind == Expr::Kind::op && !labels.expr()->inputs.empty())
    labels = Symbol(labels.expr()->inputs[0]);  // through a cast or a reshape
  for (const BatchValue& one : batch)
    if (one.symbol == labels) return &one;
  return nullptr;
}

/// A label that is no class: the first one of the batch, whichever worker met one first.
void find_label(const Refused& step, const std::vector<BatchValue>& batch) {
  const StepScalars& status = step.lease->scalars();
  if (status.code != status_label_range) return;
  for (const Expr* expr : topological_order({step.lease.graph()->loss})) {
    const std::string_view op = expr->op ? expr->op->name : "";
    if (op != "softmax_cross_entropy" && op != "nll") continue;
    const BatchValue* labels = labels_of(*expr, batch);
    if (!labels || labels->value.dtype() != DType::i32) continue;
    const i64 classes = expr->inputs[0].shape()[-1];
    const bool ignores = expr->attrs.has("ignore_index");
    const i64 ignored = expr->attrs.integer("ignore_index", 0);
    const auto* all = labels->value.data<std::int32_t>();
    const auto* end = all + labels->value.size();
    const auto* bad = std::find_if(
        all, end, [&](i64 v) { return (v < 0 || v >= classes) && !(ignores && v == ignored); });
    if (bad == end) continue;
    const i64 width = labels->value.size() / labels->value.shape()[0];
    const Shape sample = labels->value.shape().without_batch();
    Message message{.where = step.where,
                    .what = "the label in row " + std::to_string(step.row((bad - all) / width)) +
                            (width == 1 ? "" : ", " + element_text(sample, (bad - all) % width)) +
                            " of " + step.data + " is " + std::to_string(*bad) +
                            "; expected 0 to " + std::to_string(classes - 1)};
    if (ignores) message.what += ", or " + std::to_string(ignored) + ", which is ignored";
    if (labels->name != "y") message.lines.emplace_back("target", labels->name);
    const auto head = static_cast<size_t>(labels - batch.data()) - step.model.inputs.size();
    const Symbol& scores = step.model.outputs[static_cast<size_t>(step.model.heads[head].output)];
    const auto& maker = scores.expr()->call;
    message.lines.emplace_back(
        "predictions", scores.shape().str() + (maker ? "   from " + maker->layer->describe() : ""));
    message.hint = *bad < 0 && !ignores
                       ? "labels count from 0; where it stands for padding, say so: "
                         "CrossEntropy({.ignore_index = " +
                             std::to_string(*bad) + "})"
                       : "labels count from 0, and the last layer needs one output a class";
    throw_data(message);
  }
}

[[noreturn]] void throw_not_finite(const Message& message) {
  throw NotFinite(message.str("DataError"));
}

/// NaN or infinity in the data.
void find_bad_value(const Refused& step, const std::vector<BatchValue>& batch) {
  for (const BatchValue& one : batch) {
    const i64 at = first_not_finite(one.value);
    if (at < 0) continue;
    const i64 width = one.value.size() / one.value.shape()[0];
    throw_not_finite(
        {.where = step.where,
         .what = one.name + " is " + number_text(one.value.data<float>()[at]) + " in row " +
                 std::to_string(step.row(at / width)) + ", " +
                 element_text(one.value.shape().without_batch(), at % width) + " of " + step.data +
                 "; expected finite numbers",
         .hint = "remove the row, or replace the value, e.g. by the mean of its column"});
  }
}

std::vector<std::pair<Symbol, Tensor>> bound(const std::vector<BatchValue>& batch) {
  std::vector<std::pair<Symbol, Tensor>> all;
  for (const BatchValue& one : batch) all.emplace_back(one.symbol, one.value.clone());
  return all;
}

/// Who makes the first value that is not finite, on the way from the data to the loss.
std::string culprit(const Refused& step, const std::vector<BatchValue>& batch) {
  for (const auto& variable : step.model.variables)
    if (first_not_finite(variable->value) >= 0)
      return "the weight \"" + variable->full_name() + "\"";
  StepScalars scalars = step.lease->scalars();
  scalars.code = status_ok;
  const std::string loss = "the loss (" + step.model.loss_names() + ")";
  std::string first;
  evaluate({step.lease.graph()->loss}, bound(batch), DType::f32, scalars,
           [&](const Expr& expr, const std::vector<Tensor>& values) {
             const bool bad = std::any_of(values.begin(), values.end(), [](const Tensor& value) {
               return first_not_finite(value) >= 0;
             });
             if (!bad || !first.empty()) return;
             first = "the output of " + (expr.call ? expr.call->layer->describe() : loss);
           });
  return first.empty() ? loss : first;
}

[[noreturn]] void gradient_not_finite(const Refused& step) {
  throw_not_finite(
      {.where = step.where,
       .what = "the norm of the gradients is " + number_text(step.lease->scalars().value) +
               ", though the loss is finite; expected a norm to clip",
       .lines = {{"when", step_text(step)},
                 {"weights", "those before this step, which changed nothing"}},
       .hint = "lower the learning rate, or check layers of your own for sqrt(0), log(0) "
               "and 0/0, whose slopes are infinite"});
}

}  // namespace

void diagnose(const Refused& step) {
  const auto batch = batch_of(step);
  if (step.lease->scalars().code == status_index_range)
    refuse_index({.outputs = {step.lease.graph()->loss},
                  .inputs = bound(batch),
                  .where = step.where,
                  .data = step.data,
                  .row = step.row});
  if (step.lease->scalars().code == status_value_range) refuse_value(step, bound(batch));
  find_label(step, batch);
  find_bad_value(step, batch);
  if (step.lease->scalars().code == status_gradient_not_finite) gradient_not_finite(step);
  const double loss = step.lease->scalars().value;
  Message message{.where = step.where,
                  .what = "the loss is " + number_text(loss) + "; expected a finite number",
                  .lines = {{"source", culprit(step, batch) + " is the first that is not finite"}}};
  if (step.training) {
    message.lines.emplace_back("when", step_text(step));
    message.lines.emplace_back("weights", "those before this step, which changed nothing");
  }
  message.hint =
      "lower the learning rate, scale the data to about [-1, 1], or check a loss of your "
      "own for log(0) and 0/0";
  throw_not_finite(message);
}

}  // namespace goneuron
