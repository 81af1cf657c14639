// save(): a ModelImpl as a model file.
#include "core/message.h"
#include "goneuron/csv.h"
#include "io/json_text.h"
#include "io/model_file.h"
#include "train/updates.h"

namespace goneuron {

namespace {
/// The first type of target is the one trained on. A file has its losses without weights of samples
/// and classes, which belong to data and to calls of fit(). Null where there was no data yet.
const TrainGraph* graph_to_save(ModelImpl& m) {
  if (m.graphs.empty()) return nullptr;
  std::vector<TensorType> targets = m.graphs[0]->targets;
  targets.resize(m.heads.size());
  return &m.graph_for(targets, false);
}
}  // namespace

ModelRecord record_of(ModelImpl& m) {
  ModelRecord record;
  const TrainGraph* saved = graph_to_save(m);
  record.graph.roots = {{"inputs", m.inputs}, {"outputs", m.outputs}};
  if (saved) {
    const TrainGraph& graph = *saved;
    record.graph.roots.push_back({"target", graph.y_true});
    record.graph.roots.push_back({"loss", {graph.loss}});
    record.graph.roots.push_back({"metrics", graph.logged});
    std::vector<Symbol> rows;
    for (const auto& [name, evidence] : graph.evidence)
      if (!evidence.make()->spec().empty()) rows.push_back(evidence.rows);
    if (!rows.empty()) record.graph.roots.push_back({"evidence", rows});
  }
  for (const Layer& layer : m.layers) record.graph.layers.push_back(pointer_of(layer.impl()));
  TrainingFacts& facts = record.training;
  facts.compiled = m.compiled;
  facts.epoch = m.epoch;
  facts.optimizer_step = m.step;
  facts.counter = static_cast<std::uint64_t>(m.step);
  facts.weight_seed = m.weight_seed;
  facts.fit_seed = m.fit_seed;
  facts.optimizer = m.optimizer;
  if (m.activation_budget > 0)
    facts.extra.emplace_back("activation_budget", std::to_string(m.activation_budget));
  facts.optimizer.groups = groups_by_names(m);
  facts.schedule = static_cast<i64>(m.optimizer.schedule.kind());
  if (facts.schedule != 0) facts.schedule_numbers = m.optimizer.schedule.numbers();
  facts.ema = m.ema;
  facts.averaged = m.averaged;
  if (m.preprocessing) facts.extra.emplace_back("preprocessing", m.preprocessing->json());
  if (m.precision == BF16) facts.extra.emplace_back("precision", "bf16");
  // One loss a head as "NUMBER of the output:NAME"; a model with one output has its name alone.
  facts.loss = m.loss_names();
  if (m.outputs.size() > 1)
    for (size_t i = 0; i < m.heads.size(); ++i)
      facts.extra.emplace_back("head/" + std::to_string(i),
                               std::to_string(m.heads[i].output) + ":" + m.heads[i].loss.name());
  if (!saved) {
    for (const OutputMetrics& given : m.metrics)
      for (const Metric& metric : given.metrics) facts.metrics.push_back(metric.name());
  } else {
    const TrainGraph& graph = *saved;
    facts.metrics.assign(graph.names.begin() + 1, graph.names.end());
    // What adds up metrics that are no means: "KIND:NUMBERS NAME"; of the user's own ones nothing.
    i64 count = 0;
    for (const auto& [name, evidence] : graph.evidence)
      if (const std::string spec = evidence.make()->spec(); !spec.empty())
        facts.extra.emplace_back("evidence/" + std::to_string(count++), spec + " " + name);
    for (size_t i = 0; i < graph.parts.size(); ++i)
      facts.extra.emplace_back(
          "loss_part/" + std::to_string(i),
          std::to_string(graph.parts[i].first) + ":" + json_real(graph.parts[i].second));
  }
  record.add_values(m.variables);
  const auto add_slot = [&](const Variable& slot) {  // a report makes some without memory
    if (!slot.value.empty()) record.add("optimizer/" + slot.name, slot.value);
  };
  for (const auto& [variable, slots] : m.slots)
    for (const auto& slot : slots) add_slot(*slot);
  for (const auto& [variable, average] : m.averages) add_slot(*average);
  return record;
}

namespace {
ModelImpl& need_weights(const Shared<ModelImpl>& impl, const char* call, const char* hint,
                        Site site) {
  ModelImpl& m = need(impl);
  if (!m.built())
    throw_graph({.where = call_site(call, site),
                 .what = "the model has no weights yet; expected a built one",
                 .hint = hint});
  return m;
}
constexpr const char* build_or_fit = "call build(shape of a sample) or fit() first";
}  // namespace

void Model::save(const std::string& path, Site site) const {
  const UserCall user("save", site);
  ModelImpl& m = need_weights(impl_, "save", build_or_fit, site);
  const std::lock_guard lock(m.mutex);
  save_model_file(path, record_of(m));
}

void Model::save_weights(const std::string& path, Site site) const {
  const UserCall user("save_weights", site);
  ModelImpl& m = need_weights(impl_, "save_weights", build_or_fit, site);
  const std::lock_guard lock(m.mutex);
  std::vector<NamedTensor> tensors;
  for (const auto& variable : m.variables)
    tensors.push_back({variable->full_name(), variable->value});
  write_safetensors(path, tensors, {});
}

WeightsReport Model::load_weights(const std::string& path, Site site) {
  const UserCall user("load_weights", site);
  ModelImpl& m = need_weights(impl_, "load_weights", "call build(shape of a sample) first", site);
  return match_weights(m.variables, read_safetensors(path));
}

}  // namespace goneuron
