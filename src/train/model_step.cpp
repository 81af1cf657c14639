// Steps: the training graph (loss, gradients, updates as symbols), its plans, and the executors
// made of them.
#include <algorithm>
#include <tuple>

#include "core/message.h"
#include "graph/calls.h"
#include "graph/op_def.h"
#include "graph/passes/bf16.h"
#include "graph/passes/trace.h"
#include "train/added_terms.h"
#include "train/losses/targets.h"
#include "train/memory_check.h"
#include "train/updates.h"

namespace goneuron {

namespace {

constexpr size_t most_executors = 32;  // the least recently used goes first

/// What layers add to the loss and to the logs.
void add_terms(const ModelImpl& model, TrainGraph& graph) {
  const AddedTerms added = added_terms(model.outputs);
  if (added.loss) graph.loss = make("add", {graph.loss, added.loss});
  for (size_t i = 0; i < added.names.size(); ++i) {
    if (std::find(graph.names.begin(), graph.names.end(), added.names[i]) != graph.names.end())
      throw_graph({.what = "two values of the logs are named \"" + added.names[i] +
                           "\"; expected a name for each",
                   .lines = {{"names", quoted_list(graph.names)}},
                   .hint = "a layer adds the second one: give it another name in add_loss() or "
                           "add_metric()"});
    graph.names.push_back(added.names[i]);
    graph.metrics.push_back(added.values[i]);
  }
}

TensorType with_rows(const TensorType& type, i64 rows) {
  TensorType concrete = type;
  if (concrete.shape.rank() > 0) concrete.shape.set(0, rows);
  return concrete;
}

}  // namespace

TensorType target_type(const Shape& sample, DType dtype) {
  return {sample.with_batch(Any), is_floating(dtype) ? DType::f32 : DType::i32};
}

bool ModelImpl::Key::operator<(const Key& other) const {
  const auto rank = [](const Key& k) {
    return std::make_tuple(k.mode, k.rows, std::vector<i64>(k.target.begin(), k.target.end()),
                           k.target_type);
  };
  return rank(*this) < rank(other);
}

void ModelImpl::forget_plans() {
  executors.clear();
  graphs.clear();
}

TrainGraph& ModelImpl::graph_for(const TensorType& target, bool with_updates) {
  for (auto& graph : graphs)
    if (graph->target == target) {
      if (with_updates) effects_of(*this, *graph, Mode::train);
      return *graph;
    }
  auto graph = std::make_unique<TrainGraph>();
  graph->target = target;
  graph->y_true = input_symbol(target, "y_true", site);
  graph->loss = batch_mean(loss(graph->y_true, outputs[0]));
  graph->names = {"loss"};
  for (const Metric& metric : metrics) {
    graph->names.push_back(metric.name());
    graph->metrics.push_back(batch_mean(metric(graph->y_true, outputs[0])));
  }
  add_terms(*this, *graph);
  if (with_updates) effects_of(*this, *graph, Mode::train);
  graphs.push_back(std::move(graph));
  return *graphs.back();
}

std::shared_ptr<const Plan> plan_for(ModelImpl& model, Mode mode, i64 rows,
                                     const TensorType& target) {
  TraceSpec spec;
  spec.inputs = model.inputs;
  spec.input_types = {with_rows({model.inputs[0].shape(), model.inputs[0].dtype()}, rows)};
  spec.training = trains(mode);
  if (mode == Mode::predict) {
    spec.outputs = model.outputs;
  } else {
    TrainGraph& graph = model.graph_for(target, trains(mode));
    spec.inputs.push_back(graph.y_true);
    spec.input_types.push_back(with_rows(target, rows));
    spec.outputs = {graph.loss};
    spec.outputs.insert(spec.outputs.end(), graph.metrics.begin(), graph.metrics.end());
    if (trains(mode)) spec.effects = effects_of(model, graph, mode);
  }
  Graph graph = trace(spec);
  for (const Node& node : graph.nodes)
    if (node.op->mutates && node.inputs.size() > 1 && graph.in(node, 0).role == Role::parameter)
      graph.value(node.inputs[1]).gradient_of = graph.in(node, 0).variable;
  if (model.precision == BF16) use_bf16(graph);
  Plan plan = make_plan(std::move(graph), current_backend(),
                        mode == Mode::train ? model.activation_budget : 0);
  plan.guarded = mode != Mode::predict;
  return std::make_shared<const Plan>(std::move(plan));
}

ExecutorLease::ExecutorLease(ModelImpl& model, Mode mode, i64 rows, const TensorType& target)
    : model_(model),
      key_{mode, rows, mode == Mode::predict ? Shape{} : target.shape,
           mode == Mode::predict ? DType::f32 : target.dtype} {
  const std::lock_guard lock(model.mutex);
  if (model.device != current_backend().name()) {
    model.executors.clear();
    model.device = current_backend().name();
  }
  if (mode != Mode::predict) names_ = model.graph_for(target, mode == Mode::train).names;
  auto& cached = model.executors[key_];
  cached.used = ++model.clock;
  if (!cached.idle.empty()) {
    executor_ = std::move(cached.idle.back());
    cached.idle.pop_back();
    return;
  }
  const auto plan = plan_for(model, mode, rows, target);
  check_memory(model, *plan, mode, rows, target);
  if (trains(mode)) model.allocate_slots();
  if (trains(mode) && mode != Mode::train) model.allocate_sums();
  if (model.gradients.bytes() < plan->gradient_bytes)
    model.gradients = Arena(plan->gradient_bytes, "the memory of the gradients");
  executor_ = std::make_unique<Executor>(plan, model.gradients);
  if (model.executors.size() > most_executors)
    model.executors.erase(std::min_element(
        model.executors.begin(), model.executors.end(),
        [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
}

ExecutorLease::~ExecutorLease() {
  const std::lock_guard lock(model_.mutex);
  const auto at = model_.executors.find(key_);
  if (at != model_.executors.end()) at->second.idle.push_back(std::move(executor_));
}

}  // namespace goneuron
