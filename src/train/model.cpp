// The Model handle: making one, naming what is in it, compiling.
#include "goneuron/model.h"

#include <algorithm>
#include <cmath>

#include "core/message.h"
#include "graph/calls.h"
#include "graph/substitute.h"
#include "train/updates.h"

namespace goneuron {

ModelImpl& need(const Shared<ModelImpl>& impl) {
  if (!impl)
    throw_graph({.where = user_place("Model", {}),
                 .what = "the Model is empty; expected one that has been made",
                 .hint = "make it with Sequential({..}), Model(input, output) or Model::load()"});
  return *impl;
}

void need_no_fit(const ModelImpl& model, const char* caller, Site site) {
  if (model.fitting)
    throw_graph(
        {.where = call_site(caller, site),
         .what = "a callback of the model's fit() calls it; expected a call before fit() or "
                 "after it",
         .hint = "set state.stop = true in the callback, and go on where fit() has returned"});
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
  return Model(share(std::move(impl)));
}

Model::Model(const std::vector<Symbol>& inputs, const std::vector<Symbol>& outputs, Site site)
    : impl_(share(std::make_shared<ModelImpl>())) {
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
  impl_->site = site;
  impl_->inputs = inputs;
  impl_->outputs = outputs;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].expr()->kind != Expr::Kind::input)
      throw_graph(
          {.where = call_site("Model", site),
           .what = "its input " + std::to_string(i + 1) + " is made by " + origin_of(inputs[i]) +
                   "; expected an Input",
           .hint = "begin at an Input(shape), and call the layers behind it again on that"});
    for (size_t k = 0; k < i; ++k)
      if (inputs[i] == inputs[k])
        throw_graph({.where = call_site("Model", site),
                     .what = "its inputs " + std::to_string(k + 1) + " and " +
                             std::to_string(i + 1) + " are the same; expected each once",
                     .hint = "list every Input once"});
  }
  for (const Symbol& output : outputs)
    for (const Expr* expr : model_order({output}))
      if (expr->kind == Expr::Kind::input &&
          std::none_of(inputs.begin(), inputs.end(),
                       [&](const Symbol& s) { return s.expr().get() == expr; }))
        throw_graph({.where = call_site("Model", site),
                     .what = "an output depends on the Input (" + site_text(expr->site) +
                             "), which is not among the inputs; expected all it depends on",
                     .hint = "pass it as an input, or use another output; that of a layer inside a "
                             "model that is a layer here goes with that model's own input()"});
  impl_->finish_build();
}

Model::Model(const Symbol& input, const Symbol& output, Site site)
    : Model(std::vector<Symbol>{input}, std::vector<Symbol>{output}, site) {}
Model::Model(const std::vector<Symbol>& inputs, const Symbol& output, Site site)
    : Model(inputs, std::vector<Symbol>{output}, site) {}
Model::Model(const Symbol& input, const std::vector<Symbol>& outputs, Site site)
    : Model(std::vector<Symbol>{input}, outputs, site) {}

namespace {
/// What a model is called with as a layer must be what its inputs are.
void check_call(const ModelImpl& model, const LayerContext& context) {
  for (size_t i = 0; i < model.inputs.size(); ++i) {
    const Symbol &given = context.inputs()[i], &own = model.inputs[i];
    bool fits = given.shape().rank() == own.shape().rank() && given.dtype() == own.dtype();
    for (int k = 1; fits && k < own.shape().rank(); ++k)
      fits = own.shape()[k] == Any || own.shape()[k] == given.shape()[k];
    if (!fits)
      context.fail_shape("its input \"" + model.input_names[i] + "\" is given " +
                             given.shape().str() + " " + dtype_name(given.dtype()) + "; expected " +
                             own.shape().str() + " " + dtype_name(own.dtype()),
                         "a model used as a layer takes what it was built for");
  }
}
}  // namespace

Model::operator Layer() const {
  need(impl_);
  const auto model = impl_;
  LayerImpl layer{.kind = "Model", .prefix = "model", .site = model->site};
  layer.input_dtype =
      model->built() ? model->inputs[0].dtype() : model->pending[0].impl()->input_dtype;
  if (model->built()) layer.min_inputs = layer.max_inputs = static_cast<int>(model->inputs.size());
  layer.build_all = [model](LayerContext& context) {
    if (!model->built()) {
      const CallScope own(nullptr);  // its graph is its own, not a part of the one that calls it
      model->build_once(context.input().shape().without_batch());
    }
    check_call(*model, context);
    return substitute(model->outputs, model->inputs, context.inputs());
  };
  layer.parts = [model] {
    return LayerImpl::Parts{model->built() ? model->layers : model->pending, model->variables};
  };
  return make_layer(std::move(layer));
}

void Model::build(const Shape& input, Site site) {
  const UserCall user("build", site);
  need(impl_).need_shapes({input}, "build", site);
}

namespace {
/// A model that compile() throws for is not compiled.
void resolve_heads_or_forget(ModelImpl& model) {
  try {
    model.resolve_heads();
  } catch (...) {
    model.compiled = false;
    model.losses.clear();
    model.heads.clear();
    throw;
  }
}
}  // namespace

void Model::compile(const Optimizer& optimizer, const Loss& loss,
                    const std::vector<Metric>& metrics, const CompileOptions& options, Site site) {
  compile(optimizer, std::vector<OutputLoss>{loss},
          std::vector<OutputMetrics>(metrics.begin(), metrics.end()), options, site);
}

void Model::compile(const Optimizer& optimizer, const std::vector<OutputLoss>& losses,
                    const std::vector<OutputMetrics>& metrics, const CompileOptions& options,
                    Site site) {
  const UserCall user("compile", site);
  for (const OutputLoss& loss : losses)
    require(std::isfinite(loss.weight), "compile()", site,
            "a loss with a weight of " + number_text(loss.weight) + "; expected a finite number",
            "a weight is the loss's share in what is minimised: 1 unless it is given");
  if (losses.empty() || std::any_of(losses.begin(), losses.end(), [](const OutputLoss& loss) {
        return loss.loss.name().empty();
      }))
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
  need_no_fit(m, "compile", site);
  const std::lock_guard lock(m.mutex);
  m.optimizer = optimizer;
  m.given_rate = optimizer.learning_rate;
  m.ema = options.ema;
  m.averaged = false;
  m.losses = losses;
  m.metrics = metrics;
  m.precision = options.precision;
  m.activation_budget = options.activation_budget;
  if (options.seed) m.draw_weights(*options.seed);
  m.compiled = true;
  m.step = 0;
  m.slots.clear();
  m.slot_arenas.clear();
  m.averages.clear();
  m.sums.clear();
  m.sum_arena = Arena();
  m.forget_plans();
  m.rules.clear();
  if (!m.built()) return;
  resolve_heads_or_forget(m);
  resolve_groups(m);
  try_training(m);
}

Layer Model::get_layer(const std::string& name, Site site) const {
  std::vector<std::string> names;
  for (const Layer& layer : layers()) {
    if (layer.name() == name) return layer;
    if (!layer.name().empty()) names.push_back(layer.name());
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

void Model::set_trainable(bool trainable) { Layer(*this).set_trainable(trainable); }

std::vector<Layer> Model::layers() const {
  return need(impl_).built() ? need(impl_).layers : need(impl_).pending;
}

std::vector<Weight> Model::weights() const {
  std::vector<Weight> all;
  for (const auto& v : need(impl_).variables) {
    all.push_back({v->full_name(), v->value, in_training(*impl_, *v)});
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

std::vector<std::string> Model::input_names() const { return need(impl_).input_names; }
std::vector<std::string> Model::output_names() const { return need(impl_).output_names; }

}  // namespace goneuron
