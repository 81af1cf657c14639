// The training graph: losses of all heads, metrics and what layers add, as symbols, for targets of
// certain types.
#include <algorithm>

#include "core/message.h"
#include "graph/op_def.h"
#include "train/added_terms.h"
#include "train/losses/targets.h"
#include "train/updates.h"

namespace goneuron {

namespace {

Symbol scaled(const Symbol& x, double scale) {
  return scale == 1 ? x : make("scale_shift", {x}, {{"scale", scale}, {"shift", 0.0}});
}

/// Any for the batch, and where the output is open.
TensorType opened(const TensorType& target, const Symbol& output) {
  TensorType open = target;
  for (int i = 0; i < open.shape.rank() && i < output.shape().rank(); ++i)
    if (i == 0 || output.shape()[i] == Any) open.shape.set(i, Any);
  return open;
}

class Maker {
 public:
  Maker(const ModelImpl& model, TrainGraph& graph) : model_(model), graph_(graph) {}

  void run() {
    graph_.names = {"loss"};
    const bool several = model_.outputs.size() > 1;
    const AddedTerms added = added_terms(model_.outputs);
    if (graph_.targets.size() > model_.heads.size())
      graph_.weight = input_symbol(graph_.targets.back(), "sample_weight", model_.site);
    for (size_t i = 0; i < model_.heads.size(); ++i) add_head(i, several);
    for (size_t i = 0; i < model_.heads.size(); ++i) add_metrics(i, several);
    for (size_t i = 0; i < added.names.size(); ++i) log(added.names[i], added.values[i]);
    if (added.loss) add_part("", added.loss, 1);
    sum_parts();
    if (graph_.weight) graph_.y_true.push_back(graph_.weight);
  }

 private:
  struct Part {
    std::string name;  // "": not logged of its own
    Symbol value;
    double weight;
  };

  std::string prefix(size_t head) const {
    return model_.output_names[static_cast<size_t>(model_.heads[head].output)] + "_";
  }
  const Symbol& prediction(size_t head) const {
    return model_.outputs[static_cast<size_t>(model_.heads[head].output)];
  }

  /// Each sample's loss times its weight and its class's.
  Symbol weighed(const Symbol& loss, const Symbol& y_true, const Symbol& y_pred) const {
    if (!graph_.weight && graph_.class_weight.empty()) return loss;
    if (loss.shape().rank() == 0)
      throw_graph({.what = "the loss is one number for the whole batch; expected one for each "
                           "sample, which has a weight",
                   .hint = "leave out the weights, or ignore_index, or return [batch] from the "
                           "loss"});
    Symbol out = per_sample(loss);
    if (graph_.weight) out = make("mul", {out, graph_.weight});
    if (graph_.class_weight.empty()) return out;
    return make("mul", {out, class_weights(graph_.class_weight, y_true, y_pred)});
  }

  void add_head(size_t i, bool several) {
    const Head& head = model_.heads[i];
    graph_.y_true.push_back(input_symbol(
        graph_.targets[i], model_.heads.size() == 1 ? "y_true" : prefix(i) + "true", model_.site));
    const Symbol loss = batch_mean(
        weighed(head.loss(graph_.y_true[i], prediction(i)), graph_.y_true[i], prediction(i)));
    if (several) log(prefix(i) + "loss", loss);
    add_part(several ? prefix(i) + "loss" : "", loss, head.weight);
  }

  void add_metrics(size_t i, bool several) {
    for (const Metric& metric : model_.heads[i].metrics) {
      const std::string name = (several ? prefix(i) : "") + metric.name();
      if (metric.adds_up())
        add_evidence(name, metric.evidence(graph_.y_true[i], prediction(i)));
      else
        log(name, batch_mean(metric(graph_.y_true[i], prediction(i))));
    }
  }

  void add_evidence(const std::string& name, Evidence evidence) {
    const auto accumulator = evidence.make();
    if (!accumulator)
      throw_graph({.what = "the metric \"" + name + "\" makes no accumulator; expected one",
                   .hint = "let its maker return std::make_unique<Mine>()"});
    if (evidence.make() == accumulator)
      throw_graph({.what = "the metric \"" + name +
                           "\" gives the same accumulator again; expected a new one each time",
                   .hint = "make it in the function: [] { return std::make_unique<Mine>(); }"});
    const i64 width = accumulator->width(), found = evidence.rows.shape()[-1];
    if (width != 0 && width != found)
      throw_graph({.what = "the metric \"" + name + "\" gives rows of " + std::to_string(found) +
                           " numbers; expected its accumulator's " + std::to_string(width),
                   .hint = "let width() say how many numbers the evidence has on its last axis"});
    for (const std::string& suffix : accumulator->suffixes()) need_free(name + suffix);
    graph_.evidence.emplace_back(name, std::move(evidence));
  }

  void add_part(const std::string& name, const Symbol& value, double weight) {
    parts_.push_back({name, value, weight});
    const Symbol weighted = scaled(value, weight);
    graph_.loss = graph_.loss ? make("add", {graph_.loss, weighted}) : weighted;
  }

  void need_free(const std::string& name) {
    if (std::find(taken_.begin(), taken_.end(), name) != taken_.end())
      throw_graph(
          {.what = "two values of the logs are named \"" + name + "\"; expected a name for each",
           .lines = {{"names", quoted_list(taken_)}},
           .hint = "give the metric, the output's layer, or what a layer adds by add_loss() "
                   "or add_metric() another name"});
    taken_.push_back(name);
  }

  void log(const std::string& name, const Symbol& value) {
    if (!name.empty()) need_free(name);
    graph_.names.push_back(name);
    graph_.logged.push_back(value);
  }

  /// Over several batches, a sum of means over different counts is no mean over one count.
  void sum_parts() {
    if (parts_.size() == 1 && parts_[0].weight == 1) return;
    if (std::none_of(parts_.begin(), parts_.end(),
                     [](const Part& part) { return bool(denominator_of(part.value)); }))
      return;
    for (const Part& part : parts_) {
      const auto at =
          static_cast<size_t>(std::find(graph_.names.begin() + 1, graph_.names.end(), part.name) -
                              graph_.names.begin()) -
          1;
      const bool known = !part.name.empty();
      graph_.parts.emplace_back(known ? at : graph_.logged.size(), part.weight);
      if (!known) log("", part.value);
    }
  }

  const ModelImpl& model_;
  TrainGraph& graph_;
  std::vector<Part> parts_;
  std::vector<std::string> taken_ = {"loss"};
};

/// What this loss may take for its target: class indices where there are classes, else values as
/// predicted.
std::vector<TensorType> likely_targets(const Symbol& output) {
  const Shape& out = output.shape();
  if (out.rank() < 2) return {{out, DType::f32}};
  const TensorType values{out, DType::f32},
      labels{Shape(std::vector<i64>(out.begin(), out.end() - 1)), DType::i32};
  return out[-1] > 1 ? std::vector{labels, values} : std::vector{values, labels};
}

bool takes(const Head& head, const TensorType& target, const Symbol& output) {
  try {
    const Symbol y_true = input_symbol(target, "y_true");
    batch_mean(head.loss(y_true, output));
    for (const Metric& metric : head.metrics)
      if (metric.adds_up())
        metric.evidence(y_true, output);
      else
        batch_mean(metric(y_true, output));
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

TrainGraph& ModelImpl::graph_for(const std::vector<TensorType>& given, bool with_updates) {
  std::vector<TensorType> targets;
  for (size_t i = 0; i < heads.size(); ++i)
    targets.push_back(opened(given[i], outputs[static_cast<size_t>(heads[i].output)]));
  if (given.size() > heads.size()) targets.push_back({Shape{Any}, DType::f32});
  const std::vector<double> classes = with_updates ? class_weight : std::vector<double>();
  for (auto& graph : graphs)
    if (graph->targets == targets && graph->class_weight == classes) {
      if (with_updates) effects_of(*this, *graph, Mode::train);
      return *graph;
    }
  auto graph = std::make_unique<TrainGraph>();
  graph->targets = std::move(targets);
  graph->class_weight = classes;
  Maker(*this, *graph).run();
  if (with_updates) effects_of(*this, *graph, Mode::train);
  // A guess that was wrong goes: saving takes the first graph for the one trained on.
  std::erase_if(graphs, [](const auto& other) { return other->guessed; });
  graphs.push_back(std::move(graph));
  return *graphs.back();
}

std::vector<TensorType> guessed_targets(const ModelImpl& model) {
  std::vector<TensorType> all;
  for (const Head& head : model.heads) {
    const Symbol& output = model.outputs[static_cast<size_t>(head.output)];
    for (const TensorType& type : likely_targets(output))
      if (all.size() <= static_cast<size_t>(&head - model.heads.data()) &&
          takes(head, type, output))
        all.push_back(type);
  }
  return all.size() == model.heads.size() ? all : std::vector<TensorType>{};
}

void try_training(ModelImpl& model) {
  if (std::none_of(model.variables.begin(), model.variables.end(),
                   [&](const auto& variable) { return in_training(model, *variable); }))
    return;  // it may still be evaluated
  const auto targets = guessed_targets(model);
  if (targets.empty()) return;
  try {
    TrainGraph& graph = model.graph_for(targets, false);
    graph.guessed = true;
    add_gradients(model, graph);
    graph.gradients.clear();  // a layer may still be frozen before the first step
  } catch (...) {
    model.forget_plans();
    model.compiled = false;
    throw;
  }
}

}  // namespace goneuron
