// summary() and memory_report(): what the plan of a step says, as text.
#include <fmt/format.h>

#include "core/message.h"
#include "train/model_impl.h"

namespace goneuron {

namespace {
std::string size_text(i64 bytes) {
  if (bytes < 10240) return fmt::format("{} B", bytes);
  if (bytes < (i64{10} << 20)) return fmt::format("{:.1f} KiB", static_cast<double>(bytes) / 1024);
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

/// The plan that fit() would use if the target is known already, else that of a prediction.
std::shared_ptr<const Plan> known_plan(ModelImpl& model, i64 batch, bool& training) {
  training = model.compiled && !model.graphs.empty();
  return plan_for(model, training ? Mode::train : Mode::predict, batch,
                  training ? model.graphs[0]->target : TensorType{});
}
void need_built(const ModelImpl& model, const char* caller, Site site) {
  if (!model.built())
    throw_graph({.where = call_site(caller, site),
                 .what = "the shapes are not known yet; expected a built model",
                 .hint = "call build(shape of a sample) first"});
}
}  // namespace

std::string Model::summary(i64 batch, Site site) const {
  const UserCall user("summary", site);
  ModelImpl& m = need(impl_);
  need_built(m, "summary", site);
  const std::lock_guard lock(m.mutex);
  std::string text =
      fmt::format("{:<24} {:<16} {:<24} {:>12}\n", "layer", "kind", "output", "parameters");
  for (const Layer& layer : m.layers) {
    i64 count = 0;
    for (const auto& v : layer.impl()->variables)
      if (v->role == Role::parameter) count += v->value.size();
    const Symbol output = layer.impl()->first_output;
    text +=
        fmt::format("{:<24} {:<16} {:<24} {:>12}{}\n", layer.name(), layer.impl()->kind,
                    output ? output.shape().str() : "", count, layer.trainable() ? "" : "  frozen");
  }
  bool training = false;
  const auto plan = known_plan(m, batch, training);
  text += fmt::format("\n{} parameters; {} of {} samples: {:.1f} MFLOP, {} steps\n", parameters(),
                      training ? "a training step" : "a prediction", batch, plan->flops / 1e6,
                      plan->steps.size());
  for (const std::string& note : plan->graph.notes) text += "  fused   " + note + "\n";
  for (const PlannedStep& step : plan->steps) {
    const Node& node = plan->graph.nodes[static_cast<size_t>(step.node)];
    if (!node.op->alias)
      text +=
          fmt::format("  {}{:<28} {:>3} tiles by {:<10} {}\n", step.barrier_before ? "| " : "  ",
                      node.op->name, step.scheme.tiles, step.scheme.name, step.backend->name());
  }
  text += fmt::format("memory: activations {}, gradients {}, batch {}, scratch {} a worker\n",
                      size_text(plan->activation_bytes), size_text(plan->gradient_bytes),
                      size_text(plan->io_bytes), size_text(plan->scratch_bytes));
  return text;
}

std::string Model::memory_report(i64 batch, Site site) const {
  const UserCall user("memory_report", site);
  ModelImpl& m = need(impl_);
  need_built(m, "memory_report", site);
  const std::lock_guard lock(m.mutex);
  bool training = false;
  const auto plan = known_plan(m, batch, training);
  i64 weights = 0, slots = 0;
  for (const auto& v : m.variables) weights += v->value.bytes();
  for (const Arena& arena : m.slot_arenas) slots += arena.bytes();
  const i64 total = weights + slots + plan->gradient_bytes + plan->activation_bytes +
                    plan->io_bytes + plan->scratch_bytes;
  return fmt::format(
      "{} of {} samples\n  weights and state  {:>12}\n  optimizer          {:>12}\n  gradients     "
      "     {:>12}\n"
      "  activations        {:>12}   live at most {}\n  batch              {:>12}\n  scratch       "
      "     {:>12}   a worker\n  total              {:>12}\n",
      training ? "a training step" : "a prediction", batch, size_text(weights), size_text(slots),
      size_text(plan->gradient_bytes), size_text(plan->activation_bytes),
      size_text(plan->live_bytes), size_text(plan->io_bytes), size_text(plan->scratch_bytes),
      size_text(total));
}

}  // namespace goneuron
