// Reads a graph's layers and their calls from JSON, and connects them with its nodes.
#include <cmath>

#include "io/graph_reader.h"
#include "io/layer_replay.h"

namespace goneuron {

void GraphReader::read_layer() {
  charge(GraphCost::layer);
  auto layer = std::make_shared<LayerImpl>();
  json_.member("kind");
  layer->kind = name();
  json_.member("prefix");
  layer->prefix = name();
  json_.member("name");
  layer->name = name();
  layer->trainable = json_.member("trainable").boolean();
  json_.member("inputs").begin('[');
  for (int* count : {&layer->min_inputs, &layer->max_inputs}) {
    if (!json_.more()) json_.fail("expected the smallest and the largest number of inputs");
    *count = static_cast<int>(json_.integer(0, max_items, "a number of inputs"));
  }
  json_.end();
  json_.member("variables").begin('[');
  while (json_.more()) {
    charge(GraphCost::item);
    const size_t at = json_.position();
    const auto i = static_cast<size_t>(index(record_.variables.size(), "a variable"));
    if (owned_[i]) json_.fail_at(at, fmt::format("variable {} belongs to two layers", i));
    owned_[i] = true;
    record_.variables[i]->layer = layer;
    layer->variables.push_back(record_.variables[i]);
  }
  layer->build = no_replay();
  layer->built = true;
  PendingLayer pending{-1, {}};
  if (json_.has_member("call")) {
    pending.call = json_.integer(0, max_items, "a call");
    json_.member("output");
    pending.output = reference();
  }
  record_.layers.push_back(std::move(layer));
  pending_layers_.push_back(pending);
}

void GraphReader::read_call(i64 number) {
  charge(GraphCost::call);
  auto call = std::make_shared<LayerCall>();
  json_.member("layer");
  call->layer = record_.layers[static_cast<size_t>(index(record_.layers.size(), "a layer"))];
  int depth = 0;
  if (json_.has_member("parent")) {
    const size_t at = json_.position();
    const auto parent = static_cast<size_t>(index(static_cast<size_t>(number), "a call"));
    depth = depths_[parent] + 1;
    if (depth > max_parents)
      json_.fail_at(at, fmt::format("calls within calls, more than {} deep", max_parents));
    call->parent = calls_[parent];
    note_around(*call);
  }
  depths_.push_back(depth);
  PendingCall pending;
  json_.member("inputs");
  pending.inputs = references(max_inputs);
  if (json_.has_member("updates")) pending.updates = references(max_inputs);
  if (json_.has_member("losses")) pending.losses = terms(true);
  if (json_.has_member("metrics")) pending.metrics = terms(false);
  calls_.push_back(std::move(call));
  pending_calls_.push_back(std::move(pending));
}

std::vector<PendingTerm> GraphReader::terms(bool weighted) {
  std::vector<PendingTerm> out;
  json_.begin('[');
  while (json_.more()) {
    charge(GraphCost::term);
    if (out.size() == max_inputs) json_.fail(fmt::format("more than {} terms", max_inputs));
    json_.begin('{');
    json_.member("name");
    PendingTerm term{name(), {}, 1};
    json_.member("value");
    term.value = reference();
    if (weighted) term.weight = json_.member("weight").real();
    json_.end();
    out.push_back(std::move(term));
  }
  return out;
}

void GraphReader::connect_calls() {
  // Attached only once every reference has been resolved: an error half way would leave a cycle
  // that keeps itself alive.
  std::vector<std::vector<Symbol>> inputs(calls_.size());
  for (size_t i = 0; i < calls_.size(); ++i) {
    for (const NodeReference& reference : pending_calls_[i].inputs)
      inputs[i].push_back(resolve(reference));
    for (const NodeReference& reference : pending_calls_[i].updates) {
      const Symbol update = resolve(reference);
      if (!update.expr()->op || update.expr()->op->mutates == 0)
        json_.fail_at(reference.position,
                      fmt::format("node {} writes no variable: it is no update", reference.node));
      calls_[i]->updates.push_back(update);
      kept_.push_back(update);
    }
    connect_terms(pending_calls_[i].losses, calls_[i]->losses);
    connect_terms(pending_calls_[i].metrics, calls_[i]->metrics);
  }
  for (size_t i = 0; i < calls_.size(); ++i) calls_[i]->inputs = std::move(inputs[i]);
  for (size_t i = 0; i < calls_.size(); ++i) {
    if (!in_cycle(*calls_[i])) continue;
    for (const auto& call : calls_) call->inputs.clear();  // or the cycle would keep itself alive
    json_.fail(fmt::format("call {} has an input that is made by the call itself", i));
  }
}

void GraphReader::connect_terms(const std::vector<PendingTerm>& pending,
                                std::vector<AddedTerm>& terms) {
  for (const PendingTerm& term : pending) {
    const Symbol value = resolve(term.value);
    if (value.dtype() != DType::f32 || !std::isfinite(term.weight))
      json_.fail_at(term.value.position,
                    fmt::format("the added term {} is {} with a weight of {}, expected f32 and a "
                                "finite weight",
                                shown(term.name), dtype_name(value.dtype()), term.weight));
    terms.push_back({term.name, value, term.weight});
    kept_.push_back(value);
  }
}

bool GraphReader::in_cycle(const LayerCall& call) {
  struct Visit {
    const Expr* expr;  // or
    const LayerCall* call;
    size_t next;
  };
  std::vector<Visit> path = {{nullptr, &call, 0}};
  if (!visited_.emplace(&call, true).second) return false;
  while (!path.empty()) {
    Visit& visit = path.back();
    const auto& inputs = visit.expr ? visit.expr->inputs : visit.call->inputs;
    const LayerCall* above = visit.expr ? visit.expr->call.get() : visit.call->parent.get();
    const void* self = visit.expr ? static_cast<const void*>(visit.expr) : visit.call;
    Visit child{nullptr, nullptr, 0};
    if (visit.next < inputs.size())
      child.expr = inputs[visit.next].expr().get();
    else if (visit.next == inputs.size())
      child.call = above;
    if (visit.next++ > inputs.size()) {
      visited_[self] = false;  // done: no cycle through it
      path.pop_back();
      continue;
    }
    if (!child.expr && !child.call) continue;
    const void* key = child.expr ? static_cast<const void*>(child.expr) : child.call;
    const auto [at, fresh] = visited_.emplace(key, true);
    if (fresh)
      path.push_back(child);
    else if (at->second)
      return true;
  }
  return false;
}

void GraphReader::connect_layers() {
  for (size_t i = 0; i < pending_layers_.size(); ++i) {
    const PendingLayer& pending = pending_layers_[i];
    if (pending.call < 0) continue;
    if (pending.call >= static_cast<i64>(calls_.size()))
      json_.fail_at(pending.output.position,
                    fmt::format("call {} is not among the {}", pending.call, calls_.size()));
    const auto& call = calls_[static_cast<size_t>(pending.call)];
    if (call->layer != record_.layers[i])
      json_.fail_at(pending.output.position,
                    fmt::format("call {} is one of another layer", pending.call));
    const Symbol output = resolve(pending.output);
    record_.layers[i]->first_output = output;
    if (!call->inputs.empty()) record_.layers[i]->input_dtype = call->inputs[0].dtype();
    record_.layers[i]->build = replay(call, output);
  }
}

}  // namespace goneuron
