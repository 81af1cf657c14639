#include "train/updates.h"

#include <algorithm>
#include <cstring>

#include "core/checked_math.h"
#include "core/message.h"
#include "graph/calls.h"
#include "graph/op_def.h"
#include "graph/passes/differentiate.h"

namespace goneuron {

namespace {

using Variables = std::vector<std::shared_ptr<Variable>>;

std::shared_ptr<Variable> beside(const Variable& weight, const char* name) {
  auto made = std::make_shared<Variable>();
  made->name = weight.full_name() + "/" + name;
  made->role = Role::slot;
  made->type = weight.type;
  return made;
}

/// The optimizer's slots of a variable, made once; they get memory when a step is about to run.
const Variables& slots_of(ModelImpl& model, const Variable& variable) {
  auto& slots = model.slots[&variable];
  const bool adam = model.optimizer.kind != Optimizer::Kind::sgd;
  if (!slots.empty() || (!adam && model.optimizer.momentum == 0)) return slots;
  for (const char* name :
       adam ? std::vector<const char*>{"m", "v"} : std::vector<const char*>{"velocity"})
    slots.push_back(beside(variable, name));
  return slots;
}

Attrs attrs_of(const Optimizer& o, const WeightRule& rule) {
  Attrs attrs = o.kind == Optimizer::Kind::sgd
                    ? Attrs{{"momentum", o.momentum}, {"nesterov", i64{o.nesterov}}}
                    : Attrs{{"beta1", o.beta1},
                            {"beta2", o.beta2},
                            {"epsilon", o.epsilon},
                            {"decoupled", i64{o.kind == Optimizer::Kind::adamw}}};
  attrs.set("weight_decay", rule.weight_decay);
  if (rule.rate_scale != 1) attrs.set("rate_scale", rule.rate_scale);
  if (o.clip_value > 0) attrs.set("clip_value", o.clip_value);
  return attrs;
}

/// `scale` is null where the gradient is taken as it is.
Symbol update(ModelImpl& model, const std::shared_ptr<Variable>& variable, const Symbol& gradient,
              const Symbol& scale) {
  const Attrs attrs = attrs_of(model.optimizer, rule_of(model, *variable));
  const bool sgd = model.optimizer.kind == Optimizer::Kind::sgd;
  std::vector<Symbol> inputs = {variable_symbol(variable), gradient};
  if (sgd && scale) inputs.push_back(scale);
  for (const auto& slot : slots_of(model, *variable)) inputs.push_back(variable_symbol(slot));
  if (!sgd && scale) inputs.push_back(scale);
  return make(!sgd ? "adam_update" : scale ? "sgd_update_clipped" : "sgd_update", inputs, attrs);
}

/// What each gradient is multiplied by; empty without clipping by norm.
std::vector<Symbol> clip_scales(const Optimizer& o, const std::vector<Symbol>& gradients) {
  std::vector<Symbol> squares;
  if ((o.clip_norm == 0 && o.global_clip_norm == 0) || gradients.empty()) return squares;
  for (const Symbol& gradient : gradients) squares.push_back(make("sum_squares", {gradient}));
  const auto scale = [](const Symbol& sum, double most) {
    return make("clip_scale", {sum}, {{"max_norm", most}});
  };
  if (o.clip_norm > 0) {
    for (Symbol& one : squares) one = scale(one, o.clip_norm);
    return squares;
  }
  // A binary tree, so that the sum has one order.
  auto level = squares;
  while (level.size() > 1) {
    const size_t half = (level.size() + 1) / 2;
    for (size_t i = 0; i + half < level.size(); ++i)
      level[i] = make("add", {level[i], level[i + half]});
    level.resize(half);
  }
  return std::vector<Symbol>(gradients.size(), scale(level[0], o.global_clip_norm));
}

[[noreturn]] void fail_unreachable(const ModelImpl& model, const Variable& weight) {
  const auto layer = weight.layer.lock();
  throw_graph(
      {.what = "the loss does not depend on the weight \"" + weight.full_name() +
               "\"; expected a loss that every weight in training has a part in",
       .lines = {{"layer", layer ? layer->describe() : "none"}, {"loss", model.loss_names()}},
       .hint = "use the layer's output in the loss, or freeze it: set_trainable(false)"});
}

/// Updates of the layers' own state, such as running means; those of frozen layers stay.
std::vector<Symbol> state_updates(const ModelImpl& model, const FrozenNorms& frozen) {
  const auto moves = [&](const Symbol& state) {
    const auto& from = state.expr()->inputs;
    return std::none_of(from.begin(), from.end(),
                        [&](const Symbol& input) { return frozen.count(input.expr().get()) != 0; });
  };
  std::vector<Symbol> all;
  for (const LayerCall* call : calls_of(model_order(model.outputs)))
    for (const WeakSymbol& weak : call->updates)
      if (const Symbol state = weak; state && moves(state)) all.push_back(state);
  return all;
}

/// The gradients added to those of the batches before.
std::vector<Symbol> added(ModelImpl& model, const TrainGraph& graph) {
  std::vector<Symbol> all;
  for (size_t i = 0; i < graph.trained.size(); ++i) {
    auto& sum = model.sums[graph.trained[i].get()];
    if (!sum) sum = beside(*graph.trained[i], "gradient");
    all.push_back(make("accumulate", {variable_symbol(sum), graph.gradients[i]}));
  }
  return all;
}

std::vector<Symbol> updates_by(ModelImpl& model, const TrainGraph& graph,
                               const std::vector<Symbol>& gradients) {
  std::vector<Symbol> all;
  const auto scales = clip_scales(model.optimizer, gradients);
  // The last layer's first: its gradients are there first, and what they need can then go.
  for (size_t i = graph.trained.size(); i-- > 0;) {
    const auto& weight = graph.trained[i];
    all.push_back(update(model, weight, gradients[i], scales.empty() ? Symbol() : scales[i]));
    if (model.ema == 0) continue;
    auto& average = model.averages[weight.get()];
    if (!average) average = beside(*weight, "ema");
    all.push_back(
        make("ema_update", {variable_symbol(average), all.back()}, {{"momentum", model.ema}}));
  }
  return all;
}

i64 bytes_of(const Variables& variables) {
  i64 bytes = 0;
  for (const auto& v : variables)
    bytes = round_up(checked_add(bytes, checked_mul(v->type.shape.elements(), 4)), 64);
  return bytes;
}

/// One block for the variables that have no memory yet.
Arena allocate(const Variables& variables, const char* what) {
  Arena arena(bytes_of(variables), what);
  i64 at = 0;
  for (const auto& v : variables) {
    v->value = Tensor::adopt(owned(arena.owner()), arena.data() + at, v->type.shape, v->type.dtype);
    at = round_up(at + v->value.bytes(), 64);
  }
  return arena;
}

Variables without_memory(
    const ModelImpl& model,
    const std::map<const Variable*, std::shared_ptr<Variable>>& beside_weights) {
  Variables all;
  for (const auto& weight : model.variables)
    if (const auto at = beside_weights.find(weight.get());
        at != beside_weights.end() && at->second->value.empty())
      all.push_back(at->second);
  return all;
}

}  // namespace

void add_gradients(ModelImpl& model, TrainGraph& graph) {
  if (!graph.gradients.empty()) return;
  resolve_groups(model);
  graph.trained.clear();
  std::vector<Symbol> wrt;
  for (const auto& variable : model.variables)
    if (in_training(model, *variable)) {
      graph.trained.push_back(variable);
      wrt.push_back(variable_symbol(variable));
    }
  // Also of outputs without a loss, and of what layers only log.
  auto outputs = model.outputs;
  outputs.push_back(graph.loss);
  outputs.insert(outputs.end(), graph.logged.begin(), graph.logged.end());
  for (const auto& [name, evidence] : graph.evidence) outputs.push_back(evidence.rows);
  graph.frozen_norms = frozen_norms(outputs);
  auto gradients = differentiate(graph.loss, wrt, graph.frozen_norms);
  for (size_t i = 0; i < gradients.size(); ++i)
    if (!gradients[i]) fail_unreachable(model, *graph.trained[i]);
  graph.gradients = std::move(gradients);
}

const std::vector<Symbol>& effects_of(ModelImpl& model, TrainGraph& graph, Mode mode) {
  auto& effects = mode == Mode::train ? graph.updates
                  : mode == Mode::add ? graph.adds
                                      : graph.adds_and_updates;
  if (!effects.empty()) return effects;
  add_gradients(model, graph);
  auto all = mode == Mode::train ? updates_by(model, graph, graph.gradients) : added(model, graph);
  if (mode == Mode::add_and_update) all = updates_by(model, graph, all);
  for (const Symbol& state : state_updates(model, graph.frozen_norms)) all.push_back(state);
  if (all.empty())
    throw_graph({.what = "there is nothing to train: every weight is frozen, or there is none",
                 .hint = "unfreeze a layer with set_trainable(true)"});
  effects = std::move(all);
  return effects;
}

i64 ModelImpl::missing_slot_bytes() const {
  Variables missing = without_memory(*this, averages);
  for (const auto& [variable, list] : slots)
    for (const auto& slot : list)
      if (slot->value.empty()) missing.push_back(slot);
  return bytes_of(missing);
}

void ModelImpl::allocate_slots() {
  Variables missing;
  for (const auto& variable : variables)
    if (const auto at = slots.find(variable.get()); at != slots.end())
      for (const auto& slot : at->second)
        if (slot->value.empty()) missing.push_back(slot);
  if (!missing.empty()) slot_arenas.push_back(allocate(missing, "the memory of the optimizer"));
  missing = without_memory(*this, averages);
  if (missing.empty()) return;
  slot_arenas.push_back(allocate(missing, "the memory of the averaged weights"));
  for (const auto& variable : variables)
    if (const auto at = averages.find(variable.get());
        at != averages.end() && variable->value.bytes() > 0 &&
        std::find(missing.begin(), missing.end(), at->second) != missing.end())
      std::memcpy(at->second->value.raw(), variable->value.raw(),
                  static_cast<size_t>(variable->value.bytes()));
}

i64 ModelImpl::sum_bytes() const { return bytes_of(without_memory(*this, sums)); }

void ModelImpl::allocate_sums() {
  const Variables missing = without_memory(*this, sums);
  if (!missing.empty()) sum_arena = allocate(missing, "the memory of added gradients");
}

}  // namespace goneuron
