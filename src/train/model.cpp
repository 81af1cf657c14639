// The Model handle: making one, naming what is in it, compiling.
#include "goneuron/model.h"

#include <algorithm>
#include <cmath>

#include "core/message.h"
#include "graph/substitute.h"
#include "train/updates.h"

namespace goneuron {

ModelImpl& need(const std::shared_ptr<ModelImpl>& impl) {
  if (!impl)
    throw_graph({.where = user_place("Model", {}),
                 .what = "the Model is empty; expected one that has been made",
                 .hint = "make it with Sequential({..}), Model(input, output) or Model::load()"});
  return *impl;
}

Model Sequential(const std::vector<Layer>& layers, Site site) {
  const UserCall user("Sequential", site);
  if (layers.empty())
    throw_graph({.where = call_site("Sequential", site),
                 .what = "it has no layers; expected at least one",
                 .hint = "list them: Sequential({Dense(64, ReLU), Dense(10)})"});
  for (const Layer& layer : layers) layer.name();  // throws for an empty one
  auto impl = std::make_shared<ModelImpl>();
  impl->site = site;
  impl->pending = layers;
  return Model(impl);
}

Model::Model(const std::vector<Symbol>& inputs, const std::vector<Symbol>& outputs, Site site)
    : impl_(std::make_shared<ModelImpl>()) {
  const UserCall user("Model", site);
  const auto check = [&](const std::vector<Symbol>& list, const char* what) {
    if (list.empty() || std::any_of(list.begin(), list.end(), [](const Symbol& s) { return !s; }))
      throw_graph(
          {.where = call_site("Model", site),
           .what = std::string("its ") + what + " are missing or empty symbols",
           .hint = "make inputs with Input({28, 28, 1}) and outputs by calling layers on them"});
  };
  check(inputs, "inputs");
  check(outputs, "outputs");
  if (inputs.size() > 1 || outputs.size() > 1)
    throw_graph({.where = call_site("Model", site),
                 .what = std::to_string(inputs.size()) + " inputs and " +
                         std::to_string(outputs.size()) +
                         " outputs; this version takes one of each",
                 .hint = "join inputs into one tensor and slice it in the model"});
  impl_->site = site;
  impl_->inputs = inputs;
  impl_->outputs = outputs;
  for (const Symbol& output : outputs)
    for (const Expr* expr : topological_order({output}))
      if (expr->kind == Expr::Kind::input &&
          std::none_of(inputs.begin(), inputs.end(),
                       [&](const Symbol& s) { return s.expr().get() == expr; }))
        throw_graph({.where = call_site("Model", site),
                     .what = "an output depends on the Input (" + site_text(expr->site) +
                             "), which is not among the inputs; expected all it depends on",
                     .hint = "pass it as an input, or use another output"});
  impl_->finish_build();
}

Model::Model(const Symbol& input, const Symbol& output, Site site)
    : Model(std::vector<Symbol>{input}, std::vector<Symbol>{output}, site) {}

Model::operator Layer() const {
  need(impl_);
  const auto model = impl_;
  LayerImpl layer{.kind = "Model", .prefix = "model", .site = model->site};
  layer.input_dtype =
      model->built() ? model->inputs[0].dtype() : model->pending[0].impl()->input_dtype;
  layer.build = [model](LayerContext& context) {
    if (!model->built()) {
      const CallScope own(nullptr);  // its graph is its own, not a part of the one that calls it
      model->build_once(context.input().shape().without_batch());
    }
    return substitute({model->outputs[0]}, {model->inputs[0]}, {context.input()})[0];
  };
  return make_layer(std::move(layer));
}

void Model::build(const Shape& input, Site site) {
  const UserCall user("build", site);
  need(impl_).need_shape(input, "build", site);
}

void Model::compile(const Optimizer& optimizer, const Loss& loss,
                    const std::vector<Metric>& metrics, const CompileOptions& options, Site site) {
  const UserCall user("compile", site);
  if (loss.name().empty())
    throw_graph({.where = call_site("compile", site),
                 .what = "the loss is empty; expected one that has a function",
                 .hint = "pass one such as CrossEntropy or Loss(\"name\", function)"});
  if (options.activation_budget < 0)
    throw_graph({.where = call_site("compile", site),
                 .what = "activation_budget is " + std::to_string(options.activation_budget) +
                         "; expected bytes, or 0 for no limit",
                 .hint = "pass e.g. {.activation_budget = 100 << 20}"});
  require(options.ema >= 0 && options.ema < 1, "compile()", site,
          "an ema of " + number_text(options.ema) + "; expected at least 0 and below 1",
          "it is the share of the average that is kept from step to step: 0.999 is usual, 0 none");
  ModelImpl& m = need(impl_);
  const std::lock_guard lock(m.mutex);
  m.optimizer = optimizer;
  m.ema = options.ema;
  m.averaged = false;
  m.loss = loss;
  m.metrics = metrics;
  m.precision = options.precision;
  m.activation_budget = options.activation_budget;
  if (!m.built()) m.weight_seed = options.seed;
  m.compiled = true;
  m.step = 0;
  m.slots.clear();
  m.slot_arenas.clear();
  m.averages.clear();
  m.sums.clear();
  m.sum_arena = Arena();
  m.forget_plans();
  m.rules.clear();
  if (m.built()) resolve_groups(m);
}

Layer Model::get_layer(const std::string& name, Site site) const {
  std::vector<std::string> names;
  for (const Layer& layer : layers()) {
    if (layer.name() == name) return layer;
    names.push_back(layer.name());
  }
  throw_graph(
      {.where = call_site("get_layer", site),
       .what = "there is no layer \"" + name + "\"; expected one of those below",
       .lines = {{"layers", quoted_list(names)}},
       .hint =
           need(impl_).built()
               ? "names are given in graph order; {.name = \"head\"} sets one of your own"
               : "names are given when the model is built: call build() first, or name the layer"});
}

std::vector<Layer> Model::layers() const {
  return need(impl_).built() ? need(impl_).layers : need(impl_).pending;
}

std::vector<Weight> Model::weights() const {
  std::vector<Weight> all;
  for (const auto& v : need(impl_).variables) {
    const auto layer = v->layer.lock();
    all.push_back({v->full_name(), v->value,
                   v->trainable && (!layer || layer->trainable) && rule_of(*impl_, *v).trainable});
  }
  return all;
}

i64 Model::parameters() const {
  i64 count = 0;
  for (const auto& v : need(impl_).variables)
    if (v->role == Role::parameter) count += v->value.size();
  return count;
}

namespace {
const Symbol& symbol_at(const ModelImpl& model, const std::vector<Symbol>& list, int index,
                        const char* what, Site site) {
  if (!model.built())
    throw_graph({.where = user_place("Model", site),
                 .what = std::string("its ") + what + " are not known yet; expected a built model",
                 .hint = "call build(shape) first"});
  if (index < 0 || index >= static_cast<int>(list.size()))
    throw_graph({.where = user_place("Model", site),
                 .what = "number " + std::to_string(index) + " of its " + what +
                         "; expected below " + std::to_string(list.size()),
                 .hint = "they count from 0"});
  return list[static_cast<size_t>(index)];
}
}  // namespace

const Symbol& Model::input(int index, Site site) const {
  return symbol_at(need(impl_), need(impl_).inputs, index, "inputs", site);
}
const Symbol& Model::output(int index, Site site) const {
  return symbol_at(need(impl_), need(impl_).outputs, index, "outputs", site);
}

}  // namespace goneuron
