// Steps: the training graph (loss, gradients, updates as symbols), its plans, and the executors
// made of them.
#include <algorithm>
#include <tuple>

#include "core/message.h"
#include "graph/op_def.h"
#include "graph/passes/bf16.h"
#include "graph/passes/trace.h"
#include "train/losses/targets.h"
#include "train/memory_check.h"
#include "train/updates.h"

namespace goneuron {

namespace {

constexpr size_t most_executors = 32;  // the least recently used goes first

TensorType with_rows(const TensorType& type, i64 rows) {
  TensorType concrete = type;
  if (concrete.shape.rank() > 0) concrete.shape.set(0, rows);
  return concrete;
}

/// What a step computes, as it is written.
Graph graph_of(ModelImpl& model, const StepSpec& step) {
  TraceSpec spec;
  spec.inputs = model.inputs;
  spec.input_types = step.inputs;
  spec.tables = step.tables;
  spec.training = trains(step.mode);
  if (step.mode == Mode::predict) {
    spec.outputs = model.outputs;
  } else {
    TrainGraph& graph = model.graph_for(step.targets, spec.training);
    spec.inputs.insert(spec.inputs.end(), graph.y_true.begin(), graph.y_true.end());
    spec.input_types.insert(spec.input_types.end(), step.targets.begin(), step.targets.end());
    spec.outputs = {graph.loss};
    spec.outputs.insert(spec.outputs.end(), graph.logged.begin(), graph.logged.end());
    for (const Symbol& count : graph.counts()) spec.outputs.push_back(count);
    for (const auto& [name, evidence] : graph.evidence) spec.outputs.push_back(evidence.rows);
    if (spec.training) {
      spec.effects = effects_of(model, graph, step.mode);
      spec.frozen_norms = graph.frozen_norms;
    }
  }
  return trace(spec);
}

}  // namespace

TensorType target_type(const Shape& sample, DType dtype) {
  return {sample.with_batch(Any), is_floating(dtype) ? DType::f32 : DType::i32};
}

bool ModelImpl::Key::operator<(const Key& other) const {
  return std::tie(mode, types) < std::tie(other.mode, other.types);
}

StepSpec StepSpec::with_rows(i64 rows) const {
  StepSpec other = *this;
  for (auto* types : {&other.inputs, &other.targets})
    for (TensorType& type : *types) type = goneuron::with_rows(type, rows);
  return other;
}

ModelImpl::Key StepSpec::key() const {
  ModelImpl::Key key{mode, {}};
  for (const auto* types : {&inputs, &targets})
    for (const TensorType& type : *types) {
      key.types.push_back(static_cast<i64>(type.dtype));
      key.types.push_back(type.shape.rank());
      key.types.insert(key.types.end(), type.shape.begin(), type.shape.end());
    }
  return key;
}

StepSpec step_spec(const ModelImpl& model, Mode mode, i64 rows,
                   const std::vector<TensorType>& targets) {
  StepSpec spec{mode, {}, mode == Mode::predict ? std::vector<TensorType>{} : targets};
  for (const Symbol& input : model.inputs) spec.inputs.push_back({input.shape(), input.dtype()});
  return spec.with_rows(rows);
}

void ModelImpl::forget_plans() {
  executors.clear();
  graphs.clear();
}

std::shared_ptr<const Plan> plan_for(ModelImpl& model, Mode mode, i64 rows,
                                     const TensorType& target) {
  return plan_for(model, step_spec(model, mode, rows, {target}));
}

std::shared_ptr<const Plan> plan_for(ModelImpl& model, const StepSpec& step) {
  const Mode mode = step.mode;
  Graph graph = graph_of(model, step);
  for (const Node& node : graph.nodes)
    if (node.op->mutates && node.inputs.size() > 1 && graph.in(node, 0).role == Role::parameter)
      graph.value(node.inputs[1]).gradient_of = graph.in(node, 0).variable;
  if (model.precision == BF16) use_bf16(graph);
  Plan plan = make_plan(std::move(graph), current_backend(),
                        mode == Mode::train ? model.activation_budget : 0);
  plan.guarded = mode != Mode::predict;
  return std::make_shared<const Plan>(std::move(plan));
}

bool reads_tables(ModelImpl& model, const StepSpec& step) {
  const Graph graph = fused(graph_of(model, step), current_backend());
  return std::none_of(graph.nodes.begin(), graph.nodes.end(), [](const Node& node) {
    return std::string_view(node.op->name) == "byte_rows";
  });
}

std::vector<Symbol> TrainGraph::counts() const {
  std::vector<Symbol> all;
  for (size_t i = 0; i < names.size(); ++i)
    if (const Symbol count = denominator_of(i == 0 ? loss : logged[i - 1])) all.push_back(count);
  return all;
}

ExecutorLease::ExecutorLease(ModelImpl& model, Mode mode, i64 rows, const TensorType& target)
    : ExecutorLease(model, step_spec(model, mode, rows, {target})) {}

ExecutorLease::ExecutorLease(ModelImpl& model, const StepSpec& spec) : model_(model), spec_(spec) {
  const Mode mode = spec.mode;
  const std::lock_guard lock(model.mutex);
  if (model.device != current_backend().name()) {
    model.executors.clear();
    model.device = current_backend().name();
  }
  if (mode != Mode::predict) {
    TrainGraph& graph = model.graph_for(spec.targets, mode == Mode::train);
    graph.guessed = false;
    graph_ = &graph;
  }
  if (!spec.tables.empty()) {
    make_executor();  // goes with the lease, as it refers to the data
    find_memory();
    return;
  }
  auto& cached = model.executors[spec.key()];
  cached.used = ++model.clock;
  if (!cached.idle.empty()) {
    executor_ = std::move(cached.idle.back());
    cached.idle.pop_back();
  } else {
    make_executor();
  }
  find_memory();
}

void ExecutorLease::find_memory() {
  for (size_t i = 0; i < spec_.inputs.size() + spec_.targets.size(); ++i)
    memory_.push_back(executor_->input(static_cast<int>(i)));
}

void ExecutorLease::make_executor() {
  const auto plan = plan_for(model_, spec_);
  check_memory(model_, *plan, spec_);
  const bool training = trains(spec_.mode);
  if (training) {
    model_.allocate_slots();
    for (const auto& variable : model_.variables) variable->drawn = false;
  }
  if (training && spec_.mode != Mode::train) model_.allocate_sums();
  if (model_.gradients.bytes() < plan->gradient_bytes)
    model_.gradients = Arena(plan->gradient_bytes, "the memory of the gradients");
  executor_ = std::make_unique<Executor>(plan, model_.gradients, spec_.tables);
  if (model_.executors.size() > most_executors)
    model_.executors.erase(std::min_element(
        model_.executors.begin(), model_.executors.end(),
        [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
}

ExecutorLease::~ExecutorLease() {
  if (!spec_.tables.empty()) return;
  const std::lock_guard lock(model_.mutex);
  const auto at = model_.executors.find(spec_.key());
  if (at != model_.executors.end()) at->second.idle.push_back(std::move(executor_));
}

}  // namespace goneuron
