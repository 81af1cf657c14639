#include "train/diagnose.h"

#include <algorithm>
#include <cmath>

#include "core/message.h"
#include "data/convert.h"
#include "graph/evaluate.h"
#include "graph/op_def.h"
#include "train/index_range.h"

namespace goneuron {

namespace {

/// Input `i` of the step as a tensor over the executor's memory.
Tensor batch_input(const Refused& step, int i) {
  const Graph& graph = step.executor.plan().graph;
  const TensorType& type = graph.value(graph.inputs[static_cast<size_t>(i)]).type;
  return Tensor::view(step.executor.input(i), type.shape, type.dtype);
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
  return "step " + std::to_string(step.executor.scalars().counter + 1) + " of training";
}

/// A label that is no class: the first one of the batch, whichever worker met one first.
void find_label(const Refused& step) {
  const StepScalars& status = step.executor.scalars();
  if (status.code != status_label_range) return;
  const Tensor labels = batch_input(step, 1);
  const Symbol& prediction = step.model.outputs[0];
  const i64 classes = prediction.shape()[-1];
  i64 row = status.row;
  double value = status.value;
  if (labels.dtype() == DType::i32) {
    const auto* all = labels.data<std::int32_t>();
    const auto* end = all + labels.size();
    const auto* bad = std::find_if(all, end, [&](i64 v) { return v < 0 || v >= classes; });
    if (bad != end) {
      row = (bad - all) / (labels.size() / labels.shape()[0]);
      value = *bad;
    }
  }
  const Expr& maker = *prediction.expr();
  throw_data({.where = step.where,
              .what = "the label in row " + std::to_string(step.row(row)) + " of " + step.data +
                      " is " + number_text(value) + "; expected 0 to " +
                      std::to_string(classes - 1),
              .lines = {{"predictions",
                         prediction.shape().str() +
                             (maker.call ? "   from " + maker.call->layer->describe() : "")}},
              .hint = "labels count from 0, and the last layer needs one output a class"});
}

/// NaN or infinity in x or y.
void find_bad_value(const Refused& step) {
  for (int i = 0; i < 2; ++i) {
    const Tensor batch = batch_input(step, i);
    const i64 at = first_not_finite(batch);
    if (at < 0) continue;
    const i64 width = batch.size() / batch.shape()[0];
    throw_data({.where = step.where,
                .what = std::string(i == 0 ? "x" : "y") + " is " +
                        number_text(batch.data<float>()[at]) + " in row " +
                        std::to_string(step.row(at / width)) + ", " +
                        element_text(batch.shape().without_batch(), at % width) + " of " +
                        step.data + "; expected finite numbers",
                .hint = "remove the row, or replace the value, e.g. by the mean of its column"});
  }
}

/// Who makes the first value that is not finite, on the way from the data to the loss.
std::string culprit(const Refused& step) {
  for (const auto& variable : step.model.variables)
    if (first_not_finite(variable->value) >= 0)
      return "the weight \"" + variable->full_name() + "\"";
  TrainGraph& graph = step.model.graph_for(step.target, false);
  StepScalars scalars = step.executor.scalars();
  scalars.code = status_ok;
  std::string first;
  evaluate({graph.loss},
           {{step.model.inputs[0], batch_input(step, 0).clone()},
            {graph.y_true, batch_input(step, 1).clone()}},
           DType::f32, scalars, [&](const Expr& expr, const std::vector<Tensor>& values) {
             const bool bad = std::any_of(values.begin(), values.end(), [](const Tensor& value) {
               return first_not_finite(value) >= 0;
             });
             if (!bad || !first.empty()) return;
             first = "the output of " + (expr.call ? expr.call->layer->describe()
                                                   : "the loss (" + step.model.loss.name() + ")");
           });
  return first.empty() ? "the loss (" + step.model.loss.name() + ")" : first;
}

[[noreturn]] void gradient_not_finite(const Refused& step) {
  throw_data({.where = step.where,
              .what = "the norm of the gradients is " + number_text(step.executor.scalars().value) +
                      ", though the loss is finite; expected a norm to clip",
              .lines = {{"when", step_text(step)},
                        {"weights", "those before this step, which changed nothing"}},
              .hint = "lower the learning rate, or check layers of your own for sqrt(0), log(0) "
                      "and 0/0, whose slopes are infinite"});
}

}  // namespace

void diagnose(const Refused& step) {
  if (step.executor.scalars().code == status_index_range)
    refuse_index({.outputs = {step.model.graph_for(step.target, false).loss},
                  .inputs = {{step.model.inputs[0], batch_input(step, 0)}},
                  .where = step.where,
                  .data = step.data,
                  .row = step.row});
  find_label(step);
  find_bad_value(step);
  if (step.executor.scalars().code == status_gradient_not_finite) gradient_not_finite(step);
  const double loss = step.executor.scalars().value;
  Message message{.where = step.where,
                  .what = "the loss is " + number_text(loss) + "; expected a finite number",
                  .lines = {{"source", culprit(step) + " is the first that is not finite"}}};
  if (step.training) {
    message.lines.emplace_back("when", step_text(step));
    message.lines.emplace_back("weights", "those before this step, which changed nothing");
  }
  message.hint =
      "lower the learning rate, scale the data to about [-1, 1], or check a loss of your "
      "own for log(0) and 0/0";
  throw_data(message);
}

}  // namespace goneuron
