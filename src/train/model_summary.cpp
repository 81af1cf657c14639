// summary() and memory_report(): what the plan of a step says, as text.
#include <fmt/format.h>

#include <algorithm>

#include "core/message.h"
#include "goneuron/device.h"
#include "graph/op_def.h"
#include "train/footprint.h"
#include "train/losses/targets.h"

namespace goneuron {

namespace {

void need_built(const ModelImpl& model, const char* caller, Site site) {
  if (!model.built())
    throw_graph({.where = call_site(caller, site),
                 .what = "the shapes are not known yet; expected a built model",
                 .hint = "call build(shape of a sample) first"});
}
/// Plans are made for known sizes alone.
std::string open_input(const ModelImpl& model) {
  for (const Symbol& input : model.inputs)
    if (!input.shape().without_batch().known()) return input.shape().str();
  return "";
}
constexpr const char* how_to_close =
    "memory_report(data) knows the sizes of its batches; or build() a model for one size";

void need_batch(i64 batch, const char* caller, Site site) {
  if (batch < 1)
    throw_graph({.where = call_site(caller, site),
                 .what = "a batch size of " + std::to_string(batch) + "; expected 1 or more",
                 .hint = "32 is usual"});
}

/// Rows of text in columns as wide as they need; those in `right` end at the right.
std::string table(const std::vector<std::vector<std::string>>& rows, const std::string& indent,
                  unsigned right) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line = indent;
    for (size_t c = 0; c < row.size(); ++c)
      line += (right >> c & 1) ? fmt::format("{:>{}}  ", row[c], widths[c])
                               : fmt::format("{:<{}}  ", row[c], widths[c]);
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

/// 63050 as "63,050".
std::string grouped(i64 number) {
  std::string text = std::to_string(number);
  for (auto at = static_cast<i64>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<size_t>(at), ",");
  return text;
}

std::string layer_table(const ModelImpl& model) {
  std::vector<std::vector<std::string>> rows = {{"layer", "kind", "output", "parameters"}};
  for (const Layer& layer : model.layers) {
    i64 count = 0;
    for (const auto& v : layer.impl()->variables)
      if (v->role == Role::parameter) count += v->value.size();
    const Symbol output = layer.impl()->first_output;
    rows.push_back({layer.name(), layer.impl()->kind, output ? output.shape().str() : "",
                    grouped(count), layer.impl()->learns() ? "" : "frozen"});
  }
  return table(rows, "", 1U << 3);
}

/// "Softmax + cross_entropy are computed together from the logits", where the loss does that.
std::string logits_note(const ModelImpl& model, const Plan& plan) {
  std::string last;  // what makes the outputs
  for (const Symbol& output : model.outputs) {
    const Symbol made = unwrapped(output);
    if (made.expr()->op && (last.empty() || last.find("softmax") == std::string::npos))
      last = made.expr()->op->name;
  }
  for (const Node& node : plan.graph.nodes) {
    const std::string_view op = node.op->name;
    if ((op == "softmax_cross_entropy" && (last == "softmax" || last == "log_softmax")) ||
        (op == "sigmoid_binary_cross_entropy" && last == "sigmoid"))
      return last + " and " + model.loss_names() +
             " are one function of the logits, which cannot overflow";
  }
  return "";
}

/// The layer that a step belongs to, or the variable that it writes.
std::string owner(const Plan& plan, const Node& node) {
  if (node.op->mutates) {
    const auto& variable = plan.graph.in(node, 0).variable;
    return variable ? variable->full_name() : "";
  }
  return node.call ? node.call->layer->name : "";
}

std::string step_table(const Plan& plan) {
  std::vector<std::vector<std::string>> rows = {
      {"", "step", "tiles", "cut by", "kernel", "MFLOP", "for"}};
  for (const PlannedStep& step : plan.steps) {
    const Node& node = plan.graph.nodes[static_cast<size_t>(step.node)];
    if (node.op->alias) continue;
    rows.push_back({step.barrier_before ? "|" : "", node.op->name,
                    std::to_string(step.scheme.tiles),
                    step.scheme.tiles > 1 ? step.scheme.name : "", step.backend->name(),
                    fmt::format("{:.2f}", step.flops / 1e6), owner(plan, node)});
  }
  return table(rows, "  ", 1U << 2 | 1U << 5);
}

std::string how_it_runs(const ModelImpl& model, const ExpectedStep& step, i64 batch) {
  const Plan& plan = *step.plan;
  const auto cut = std::count_if(plan.steps.begin(), plan.steps.end(),
                                 [](const PlannedStep& s) { return s.scheme.tiles > 1; });
  const auto run = std::count_if(plan.steps.begin(), plan.steps.end(), [&](const PlannedStep& s) {
    return !plan.graph.nodes[static_cast<size_t>(s.node)].op->alias;
  });
  const auto barriers = std::count_if(plan.steps.begin(), plan.steps.end(),
                                      [](const PlannedStep& s) { return s.barrier_before; });
  std::string text =
      fmt::format("{} of {} samples: {:.2f} MFLOP\n",
                  step.training ? "a training step" : "a prediction", batch, plan.flops / 1e6);
  if (!step.note.empty()) text += "  note    " + step.note + "\n";
  for (const std::string& note : plan.graph.notes) text += "  fused   " + note + "\n";
  if (const std::string note = logits_note(model, plan); !note.empty())
    text += "  loss    " + note + "\n";
  text += fmt::format(
      "  runs    on \"{}\" ({}), {} thread{}: {} of {} steps are cut into tiles, {} barriers (|)\n",
      current_backend().name(), current_backend().info(), threads(), threads() == 1 ? "" : "s", cut,
      run, barriers);
  return text + "\n" + step_table(plan);
}

}  // namespace

std::string Model::summary(i64 batch, Site site) const {
  const UserCall user("summary", site);
  ModelImpl& m = need(impl_);
  need_built(m, "summary", site);
  need_batch(batch, "summary", site);
  const std::lock_guard lock(m.mutex);
  i64 trained = 0;
  for (const Weight& weight : weights())
    if (weight.trainable) trained += weight.value.size();
  const i64 all = parameters();
  std::string text = layer_table(m);
  text += fmt::format("{} parameters{}\n\n", grouped(all),
                      trained == all ? "" : ", " + grouped(trained) + " of them trained");
  if (const std::string open = open_input(m); !open.empty())
    return text + "a step and its memory depend on the size of " + open + ": " + how_to_close +
           "\n";
  const ExpectedStep step = expected_step(m, batch);
  text += how_it_runs(m, step, batch);
  return text + "\nmemory\n" + footprint(m, step, batch).str();
}

std::string Model::memory_report(i64 batch, Site site) const {
  const UserCall user("memory_report", site);
  ModelImpl& m = need(impl_);
  need_built(m, "memory_report", site);
  need_batch(batch, "memory_report", site);
  if (const std::string open = open_input(m); !open.empty())
    throw_shape({.where = call_site("memory_report", site),
                 .what = "the samples are " + open + "; expected sizes that are known",
                 .hint = how_to_close});
  const std::lock_guard lock(m.mutex);
  const ExpectedStep step = expected_step(m, batch);
  return fmt::format("memory of {} of {} samples{}\n",
                     step.training ? "a training step" : "a prediction", batch,
                     step.note.empty() ? "" : " (" + step.note + ")") +
         footprint(m, step, batch).str();
}

std::string Model::memory_report(const Dataset& data, const FitOptions& options, Site site) const {
  ModelImpl& m = *impl_;
  if (!m.compiled)
    throw_graph({.where = call_site("memory_report", site),
                 .what = "the model has no loss and no optimizer yet",
                 .hint = "call compile(Adam(0.001), CrossEntropy) first"});
  if (data && !m.built()) m.need_shapes({data.x_shape()}, "memory_report", site);
  const std::lock_guard lock(m.mutex);
  return "memory of fit()\n" + footprint(m, data, options, site).str();
}

}  // namespace goneuron
