// save() and load(): a ModelImpl as a model file and back.
#include <cstring>

#include "core/message.h"
#include "io/model_file.h"
#include "train/model_impl.h"

namespace goneuron {

void Model::save(const std::string& path, Site site) const {
  const UserCall user("save", site);
  ModelImpl& m = need(impl_);
  if (!m.built())
    throw_graph({.where = call_site("save", site),
                 .what = "the model has no weights yet; expected a built one",
                 .hint = "call build(shape of a sample) or fit() first"});
  const std::lock_guard lock(m.mutex);
  ModelRecord record;
  record.graph.roots = {{"inputs", m.inputs}, {"outputs", m.outputs}};
  if (!m.graphs.empty()) {  // the first type of target is the one trained on
    const TrainGraph& graph = *m.graphs[0];
    record.graph.roots.push_back({"target", {graph.y_true}});
    record.graph.roots.push_back({"loss", {graph.loss}});
    record.graph.roots.push_back({"metrics", graph.metrics});
  }
  for (const Layer& layer : m.layers) record.graph.layers.push_back(layer.impl());
  TrainingFacts& facts = record.training;
  facts.compiled = m.compiled;
  facts.epoch = m.epoch;
  facts.optimizer_step = m.step;
  facts.counter = static_cast<std::uint64_t>(m.step);
  facts.weight_seed = m.weight_seed;
  facts.fit_seed = m.fit_seed;
  facts.optimizer = m.optimizer;
  facts.loss = m.loss.name();
  for (const Metric& metric : m.metrics) facts.metrics.push_back(metric.name());
  record.add_values(m.variables);
  for (const auto& [variable, slots] : m.slots)
    for (const auto& slot : slots) record.add("optimizer/" + slot->name, slot->value);
  save_model_file(path, record);
}

Model Model::load(const std::string& path, Site site) {
  const UserCall user("load", site);
  const ModelRecord record = load_model_file(path);
  auto impl = std::make_shared<ModelImpl>();
  ModelImpl& m = *impl;
  m.inputs = record.graph.list("inputs");
  m.outputs = record.graph.list("outputs");
  if (m.inputs.size() != 1 || m.outputs.size() != 1)
    throw_format({.where = path,
                  .what = std::to_string(m.inputs.size()) + " inputs and " +
                          std::to_string(m.outputs.size()) + " outputs; expected one of each",
                  .hint = "save it again with this version"});
  m.weight_seed = record.training.weight_seed;
  m.finish_build();
  record.copy_values(m.variables);
  const TrainingFacts& facts = record.training;
  m.fit_seed = facts.fit_seed;
  m.epoch = facts.epoch;
  m.step = facts.optimizer_step;
  const auto target = record.graph.list("target"), loss = record.graph.list("loss"),
             metrics = record.graph.list("metrics");
  if (!facts.compiled || target.size() != 1 || loss.size() != 1) return Model(impl);
  m.compiled = true;
  m.optimizer = facts.optimizer;
  // The loss and metrics are the stored graphs, whatever functions made them.
  m.loss = Loss(facts.loss.c_str(), [](const Symbol&, const Symbol&) -> Symbol {
    throw_type({.what =
                    "the loaded loss was stored for targets of another shape or dtype; expected "
                    "targets such as those it was trained with",
                .hint = "compile() the model again"});
  });
  for (const std::string& name : facts.metrics)
    m.metrics.emplace_back(name.c_str(), [](const Symbol&, const Symbol&) { return Symbol(); });
  auto graph = std::make_unique<TrainGraph>();
  graph->target = {target[0].shape(), target[0].dtype()};
  graph->y_true = target[0];
  graph->loss = loss[0];
  graph->metrics = metrics;
  m.graphs.push_back(std::move(graph));
  m.graph_for(m.graphs[0]->target, true);  // makes the optimizer's slots
  for (const auto& [variable, slots] : m.slots)
    for (const auto& slot : slots)
      if (const Tensor* stored = record.find("optimizer/" + slot->name))
        std::memcpy(slot->value.raw(), stored->raw(), static_cast<size_t>(slot->value.bytes()));
  return Model(impl);
}

WeightsReport Model::load_weights(const std::string& path, Site site) {
  const UserCall user("load_weights", site);
  if (!need(impl_).built())
    throw_graph({.where = call_site("load_weights", site),
                 .what = "the model has no weights yet; expected a built one",
                 .hint = "call build(shape of a sample) first"});
  return match_weights(need(impl_).variables, read_safetensors(path));
}

}  // namespace goneuron
