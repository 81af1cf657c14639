// Building a model: a Sequential's chain is applied to the input's shape, layers get their names
// and dropout its random streams in graph order, variables their memory and first values.
#include <algorithm>
#include <cstring>
#include <set>

#include "core/checked_math.h"
#include "core/memory.h"
#include "core/message.h"
#include "graph/calls.h"
#include "graph/initialize.h"
#include "graph/op_def.h"
#include "train/model_impl.h"

namespace goneuron {

namespace {

/// Names for layers without one, in their order. Those that were given while another model was
/// built stay where they can: two models joined in one may both have a "dense".
void give_names(const std::vector<Layer>& layers) {
  std::set<std::string> taken;
  for (const Layer& layer : layers)
    if (!layer.name().empty() && !layer.impl()->name_given && !taken.insert(layer.name()).second)
      throw_graph({.where = layer.impl()->describe(),
                   .what = "two layers of one model are named \"" + layer.name() + "\"",
                   .hint = "give each a name of its own, or leave the name out"});
  for (const Layer& layer : layers)
    if (layer.impl()->name_given && !taken.insert(layer.name()).second) layer.impl()->name.clear();
  for (const Layer& layer : layers) {
    if (!layer.name().empty()) continue;
    const std::string& prefix = layer.impl()->prefix;
    std::string name = prefix;
    for (int i = 1; !taken.insert(name).second; ++i) name = prefix + "_" + std::to_string(i);
    layer.impl()->name = name;
    layer.impl()->name_given = true;
  }
}

std::vector<Layer> unique_layers(const std::vector<Layer>& layers) {
  std::vector<Layer> all;
  std::set<const LayerImpl*> seen;
  for (const Layer& layer : layers)
    if (seen.insert(layer.impl().get()).second) all.push_back(layer);
  return all;
}

/// The layers that made the graph, in the order of its nodes; those inside others right before
/// them.
std::vector<Layer> layers_of(const std::vector<const Expr*>& order) {
  std::vector<Layer> all;
  for (const Expr* expr : order)
    for (auto call = expr->call; call; call = call->parent) all.emplace_back(share(call->layer));
  return unique_layers(all);
}

std::string buffer_name(const Variable& variable) {
  const auto layer = variable.layer.lock();
  return variable.name + (layer ? " of " + layer->describe() : "") + "   " +
         variable.type.shape.str() + " f32";
}

/// One block for the variables of a kind that have no memory yet; theirs from then on.
void allocate(Arena& arena, const std::vector<std::shared_ptr<Variable>>& variables, Role role,
              const char* what) {
  i64 bytes = 0;
  const auto wants = [&](const Variable& v) { return v.role == role && v.value.empty(); };
  for (const auto& v : variables)
    if (wants(*v))
      bytes = round_up(checked_add(bytes, checked_mul(v->type.shape.elements(), 4)), 64);
  if (bytes == 0) return;
  if (bytes > available_memory()) {
    std::vector<Buffer> buffers;
    for (const auto& v : variables)
      if (wants(*v)) buffers.push_back({buffer_name(*v), v->type.shape.elements() * 4});
    throw_too_large(what, bytes, std::move(buffers),
                    "use fewer units or filters, or a smaller input");
  }
  arena = Arena(bytes, what);
  i64 at = 0;
  for (const auto& v : variables)
    if (wants(*v)) {
      v->value =
          Tensor::adopt(owned(arena.owner()), arena.data() + at, v->type.shape, v->type.dtype);
      at = round_up(at + v->value.bytes(), 64);
    }
}

}  // namespace

void ModelImpl::build_once(const Shape& sample) {
  const std::lock_guard lock(build_mutex);
  if (built()) return;
  std::vector<LayerImpl> before;
  for (const Layer& layer : pending) before.push_back(*layer.impl());
  try {
    build_sequential(sample);
  } catch (...) {
    // Back to what they were, so that another shape can still be tried.
    for (size_t i = 0; i < before.size(); ++i) *pending[i].impl() = before[i];
    throw;
  }
}

void ModelImpl::build_sequential(const Shape& sample) {
  const auto chain = unique_layers(pending);
  std::vector<Layer> nameless;
  for (const Layer& layer : chain)
    if (layer.name().empty()) nameless.push_back(layer);
  give_names(chain);  // for messages, until finish_build() has seen the layers inside these
  const DType dtype = pending.front().impl()->input_dtype;
  const Symbol input = input_symbol({sample.with_batch(Any), dtype}, "input", site);
  Symbol x = input;
  for (const Layer& layer : pending) x = x | layer;
  for (Layer& layer : nameless) layer.named("");
  inputs = {input};
  outputs = {x};
  finish_build();
}

namespace {
/// A number for each step of a sequence.
bool is_mask(const Shape& sample, const Shape& sequence) {
  return sample.rank() == 1 && sequence.rank() > 0 && sample[0] == sequence[0];
}
}  // namespace

void ModelImpl::need_shapes(const std::vector<Shape>& samples, const char* caller, Site where) {
  if (!built() && samples.size() == 1) return build_once(samples[0]);
  const size_t wanted = built() ? inputs.size() : 1;
  if (samples.size() != wanted)
    throw_graph({.where = call_site(caller, where),
                 .what = counted(static_cast<i64>(samples.size()), "input") + " for a model with " +
                         std::to_string(wanted) + "; expected one tensor for each",
                 .lines = {{"inputs", built() ? quoted_list(input_names) : "a Sequential has one"}},
                 .hint = samples.size() == wanted + 1 && is_mask(samples.back(), samples[0])
                             ? "the last one is a mask: give it to a layer, as in "
                               "Model({x, mask}, ..), or leave it out, data::buckets(.., {.mask = "
                               "false})"
                             : "list them in this order, {a, b}, or by name: {{\"a\", a}, "
                               "{\"b\", b}}"});
  for (size_t i = 0; i < samples.size(); ++i) {
    const Shape &sample = samples[i], expected = inputs[i].shape().without_batch();
    bool fits = expected.rank() == sample.rank();
    for (int k = 0; fits && k < sample.rank(); ++k)
      fits = expected[k] == Any || expected[k] == sample[k];
    if (!fits)
      throw_shape({.where = call_site(caller, where),
                   .what = "a sample " +
                           (inputs.size() == 1 ? "" : "of \"" + input_names[i] + "\" ") + "is " +
                           sample.str() + "; expected the model's " + expected.str(),
                   .hint = "reshape the data, or build a model for this shape"});
  }
}

namespace {
/// Also where it was written by way of the handle that weights() gives.
bool is_as_drawn(const Variable& variable, std::uint64_t seed, std::uint32_t stream) {
  if (!variable.drawn) return false;
  Variable again = variable;
  again.value = Tensor(again.type.shape);
  initialize(again, seed, stream);
  return std::memcmp(again.value.raw(), variable.value.raw(),
                     static_cast<size_t>(again.value.bytes())) == 0;
}
}  // namespace

void ModelImpl::draw_weights(std::uint64_t seed) {
  if (seed == weight_seed) return;
  for (const std::uint32_t i : drawn) {
    Variable& variable = *variables[i];
    variable.drawn = is_as_drawn(variable, weight_seed, i);
    if (variable.drawn) initialize(variable, seed, i);
  }
  weight_seed = seed;
}

void ModelImpl::finish_build() {
  for (const Symbol& output : outputs)
    if (output.shape().rank() == 0 || output.shape()[0] != Any)
      throw_shape({.where = output.expr()->call ? output.expr()->call->layer->describe() : "Model",
                   .what = "the model's output is " + output.shape().str() +
                           ", without the batch as its first axis",
                   .hint = "keep the first axis: one prediction for each sample"});
  const auto order = model_order(outputs);
  variables.clear();
  layers = layers_of(order);
  give_names(layers);
  std::set<const Variable*> seen;
  i64 stream = 0;
  for (const Expr* expr : order) {
    if (expr->kind == Expr::Kind::variable && seen.insert(expr->variable.get()).second)
      variables.push_back(expr->variable);
    // The one thing about an Expr that is decided after it is made: which random stream it draws
    // from.
    if (expr->op && expr->attrs.has("stream")) {
      ++stream;
      if (expr->attrs.integer("stream", 0) == 0)
        const_cast<Expr*>(expr)->attrs.set("stream", stream);
    }
  }
  std::vector<bool> fresh;
  for (const auto& v : variables) fresh.push_back(v->value.empty());
  allocate(params, variables, Role::parameter, "the memory of the weights");
  allocate(states, variables, Role::state, "the memory of the layers' state");
  for (size_t i = 0; i < variables.size(); ++i)
    if (fresh[i]) {
      drawn.push_back(static_cast<std::uint32_t>(i));
      initialize(*variables[i], weight_seed, drawn.back());
    }
  name_ends();
  resolve_heads();
  ready = true;
}

}  // namespace goneuron
