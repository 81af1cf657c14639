// The Layer handle: calling a layer, its name and its weights.
#include "goneuron/layer.h"

#include <algorithm>
#include <cstring>

#include "core/message.h"
#include "graph/layer_impl.h"
#include "graph/op_def.h"

namespace goneuron {

namespace {
template <class Function>
void need_function(const Function& function, const char* name, Site site) {
  require(static_cast<bool>(function), "Layer", site,
          "\"" + std::string(name) + "\" has an empty function; expected one that returns a Symbol",
          "pass a function of a Symbol, or of a std::vector<Symbol>");
}

LayerImpl& need(const Shared<LayerImpl>& impl) {
  if (!impl)
    throw_graph({.where = user_place("Layer", {}),
                 .what = "the Layer is empty; expected one that a factory made",
                 .hint = "make it with a factory such as Dense(10)"});
  return *impl;
}

bool made_in(const Symbol& symbol, const LayerCall* call) {
  const LayerCall* at = symbol.expr()->call.get();
  while (at && at != call) at = at->parent.get();
  return at != nullptr;
}
}  // namespace

Layer::Layer(const char* name, Callable<Symbol(Symbol)> function, Site site) {
  need_function(function, name, site);
  LayerImpl impl{.kind = name, .prefix = name, .site = site, .names_what_it_gets = true};
  impl.build = [function = std::move(function)](LayerContext& context) {
    const UserCode code;
    return function(context.input());
  };
  *this = make_layer(std::move(impl));
}

Layer::Layer(const char* name, Callable<Symbol(const std::vector<Symbol>&)> function, Site site) {
  need_function(function, name, site);
  LayerImpl impl{
      .kind = name, .prefix = name, .site = site, .names_what_it_gets = true, .max_inputs = 64};
  impl.build = [function = std::move(function)](LayerContext& context) {
    const UserCode code;
    return function(context.inputs());
  };
  *this = make_layer(std::move(impl));
}

Symbol Layer::operator()(const Symbol& x, Site site) const {
  return (*this)(std::vector<Symbol>{x}, site);
}

Symbol Layer::operator()(const std::vector<Symbol>& inputs, Site site) const {
  const auto outputs = call_all(inputs, site);
  if (outputs.size() == 1) return outputs[0];
  throw_graph({.where = impl_->describe(),
               .what = "it has " + std::to_string(outputs.size()) +
                       " outputs; expected one where a layer is called so",
               .hint = "call_all({x}) gives them all"});
}

std::vector<Symbol> Layer::call_all(const std::vector<Symbol>& inputs, Site site) const {
  if (!impl_)
    throw_graph({.where = place("Layer", site),
                 .what = "an empty Layer is called; expected one that a factory made",
                 .hint = "make it with a factory such as Dense(10)"});
  const UserCall user(impl_->kind.c_str(), site, true);
  const LayerPlace place(impl_->describe());
  auto call =
      std::make_shared<LayerCall>(LayerCall{pointer_of(impl_), inputs, {}, site, current_call()});
  note_around(*call);
  LayerContext context(*impl_, *call);
  for (const Symbol& input : inputs)
    if (!input)
      context.fail("an input is an empty Symbol; expected one that has been made",
                   "make it with Input() or a layer");
  const auto count = static_cast<int>(inputs.size());
  if (count < impl_->min_inputs || count > impl_->max_inputs)
    context.fail(counted(count, "input") + "; expected " +
                     (impl_->max_inputs == 1 ? "one"
                      : impl_->max_inputs == impl_->min_inputs
                          ? std::to_string(impl_->min_inputs)
                          : std::to_string(impl_->min_inputs) + " or more"),
                 impl_->max_inputs == 1 ? "join them first with Add() or Concat()"
                                        : "call it with a list: " + impl_->kind + "()({a, b})");
  std::vector<Symbol> outputs;
  {
    const CallScope scope(call);
    const ContextScope added(&context);
    outputs =
        impl_->build_all ? impl_->build_all(context) : std::vector<Symbol>{impl_->build(context)};
    // A layer that gives back what it got still needs a node: losses are found by those, and an
    // output is named after the layer that made it.
    for (Symbol& output : outputs)
      if ((!context.kept().empty() || !impl_->name.empty() || impl_->names_what_it_gets) &&
          output && !made_in(output, call.get()))
        output = make("reshape_like", {output, output});
  }
  if (!context.kept().empty())
    for (Symbol& output : outputs) output = keeping(output, context.kept());
  for (const auto& variable : impl_->variables) {
    variable->layer = pointer_of(impl_);
    if (!impl_->built) variable->site = site;
  }
  if (!impl_->built) impl_->first_output = outputs[0];
  impl_->built = true;
  impl_->outputs = outputs.size();
  return outputs;
}

namespace {
LayerContext& context_for(const char* function, Site site) {
  if (LayerContext* context = current_context()) return *context;
  throw_graph({.where = call_site(function, site),
               .what = "it is called outside of a layer; expected a call in a layer's function",
               .hint = "Layer(\"name\", [](Symbol x) { add_loss(mean(square(x)), \"name\", 0.01); "
                       "return x; }) adds to the loss of every model that uses it"});
}
}  // namespace

void add_loss(const Symbol& value, const char* name, double weight, Site site) {
  context_for("add_loss", site).add_loss(value, name, weight);
}
void add_metric(const char* name, const Symbol& value, Site site) {
  context_for("add_metric", site).add_metric(name, value);
}

Symbol operator|(const Symbol& x, const Layer& layer) {
  return layer(x, layer.impl() ? layer.impl()->site : Site{});
}

const std::string& Layer::name() const { return need(impl_).name; }
Layer& Layer::named(const std::string& name) {
  need(impl_).name = name;
  need(impl_).name_given = false;
  return *this;
}

bool Layer::trainable() const {
  if (!need(impl_).parts) return impl_->trainable;
  const auto layers = impl_->parts().layers;
  return std::any_of(layers.begin(), layers.end(), [](const Layer& l) { return l.trainable(); });
}
void Layer::set_trainable(bool trainable) {
  if (!need(impl_).parts) {
    impl_->trainable = trainable;
    return;
  }
  for (Layer& layer : impl_->parts().layers) layer.set_trainable(trainable);
}

namespace {
std::vector<std::shared_ptr<Variable>> variables_of(const LayerImpl& layer) {
  return layer.parts ? layer.parts().variables : layer.variables;
}
}  // namespace

std::vector<Weight> Layer::weights() const {
  std::vector<Weight> all;
  for (const auto& variable : variables_of(need(impl_))) {
    const auto owner = variable->layer.lock();
    all.push_back({variable->full_name(), variable->value,
                   variable->trainable && need(impl_).learns() && (!owner || owner->learns())});
  }
  return all;
}

void Layer::set_weights(const std::vector<Tensor>& values, Site site) {
  const UserCall user("set_weights", site);
  const auto variables = variables_of(need(impl_));
  const bool exist = impl_->parts ? !variables.empty() : impl_->built;
  if (!exist || (!variables.empty() && variables[0]->value.empty()))
    throw_graph({.where = need(impl_).describe(),
                 .what = "its weights do not exist yet",
                 .hint = "build() or compile() and fit() the model first"});
  if (values.size() != variables.size())
    throw_shape({.where = need(impl_).describe(),
                 .what = counted(static_cast<i64>(values.size()), "tensor") + "; expected " +
                         std::to_string(variables.size()) + ", one a weight",
                 .hint = "pass them in the order of weights()"});
  for (size_t i = 0; i < values.size(); ++i)
    if (!(values[i].shape() == variables[i]->type.shape) ||
        values[i].dtype() != variables[i]->type.dtype)
      throw_shape({.where = need(impl_).describe(),
                   .what = "the tensor for the weight \"" + variables[i]->name + "\" is " +
                           values[i].shape().str() + " " + dtype_name(values[i].dtype()) +
                           "; expected " + variables[i]->type.shape.str() + " f32",
                   .hint = "pass tensors of the shapes that weights() shows, in its order"});
  for (size_t i = 0; i < values.size(); ++i) {
    std::memcpy(variables[i]->value.raw(), values[i].raw(), static_cast<size_t>(values[i].bytes()));
    variables[i]->drawn = false;
  }
}

Symbol Layer::output(Site site) const {
  const UserCall user("output", site);
  if (!need(impl_).built)
    throw_graph({.where = need(impl_).describe(),
                 .what = "it has no output yet",
                 .hint = "build() the model first"});
  const Symbol output = need(impl_).first_output;
  if (!output)
    throw_graph({.where = need(impl_).describe(),
                 .what = "the graph of its first call is gone",
                 .hint = "keep the model, or the symbols, that the layer was called for"});
  return output;
}

Layer Layer::clone() const {
  if (need(impl_).parts)
    throw_graph({.where = impl_->describe(),
                 .what = "a model is cloned; expected a layer with weights of its own",
                 .hint = "make the second model by the function that made the first, or save() it "
                         "and load() the copy"});
  auto copy = std::make_shared<LayerImpl>(need(impl_));
  copy->variables.clear();
  copy->first_output = {};
  copy->built = false;
  copy->name.clear();
  copy->name_given = false;
  for (const auto& variable : need(impl_).variables) {
    auto twin = std::make_shared<Variable>(*variable);
    if (!twin->value.empty()) twin->value = twin->value.clone();
    twin->layer = copy;
    twin->drawn = false;  // a copy, whatever seed its model has
    copy->variables.push_back(twin);
  }
  return Layer(share(std::move(copy)));
}

}  // namespace goneuron
