#include "graph/layer_impl.h"

#include <cmath>

#include "core/checked_math.h"
#include "core/message.h"

namespace goneuron {

namespace {
Message layer_message(const LayerImpl& layer, const LayerCall& call, const std::string& what,
                      const std::string& hint) {
  Message message{.where = layer.describe(), .what = what, .hint = hint};
  int number = 0;
  for (const Symbol& input : call.inputs) {
    ++number;
    message.lines.emplace_back(
        call.inputs.size() == 1 ? "input" : "input " + std::to_string(number),
        input ? input.shape().str() + from_text(input) : "empty");
  }
  return message;
}
}  // namespace

std::string LayerImpl::describe() const {
  std::string text = kind;
  if (!name.empty() && name != kind) text += " \"" + name + "\"";
  return place(text, site);
}

const std::vector<Symbol>& LayerContext::inputs() const { return call_.inputs; }

Symbol LayerContext::parameter(const char* name, const Shape& shape, const Initializer& init,
                               i64 fan_in, i64 fan_out) {
  for (const auto& variable : layer_.variables) {
    if (variable->name != name) continue;
    if (variable->type.shape == shape) return variable_symbol(variable);
    Message message = layer_message(layer_, call_,
                                    "this input needs a " + std::string(name) + " of " +
                                        shape.str() + "; expected " + variable->type.shape.str() +
                                        ", which the first call made",
                                    "a Layer used twice shares its weights; make a second " +
                                        layer_.kind + " for another input width");
    message.lines.emplace_back(name, variable->type.shape.str() + "   " +
                                         place("created by the first call", variable->site));
    if (site_text(call_.site) != site_text(layer_.site))
      message.lines.emplace_back("called", site_text(call_.site));
    throw_shape(message);
  }
  for (const i64 dim : shape)
    if (dim == Any)
      fail_shape(std::string(name) + " would be " + shape.str() + ": a dimension is not known yet",
                 "give it to Input(), or build() the model");
  checked_mul(shape.elements(), dtype_size(DType::f32));  // now, while the layer is known
  auto variable = std::make_shared<Variable>();
  variable->name = name;
  variable->type = {shape, DType::f32};
  variable->init = init;
  variable->fan_in = fan_in;
  variable->fan_out = fan_out;
  layer_.variables.push_back(variable);
  return variable_symbol(variable);
}

Symbol LayerContext::state(const char* name, const Shape& shape, const Initializer& init) {
  const Symbol symbol = parameter(name, shape, init, 1, 1);
  symbol.expr()->variable->role = Role::state;
  symbol.expr()->variable->trainable = false;
  return symbol;
}

void LayerContext::update(const Symbol& symbol) {
  call_.updates.push_back(symbol);
  kept_.push_back(symbol);
}

void LayerContext::add_loss(const Symbol& value, const std::string& name, double weight) {
  if (name.empty() || !std::isfinite(weight))
    fail("an added loss is named \"" + name + "\" and weighs " + number_text(weight) +
             "; expected a name and a finite weight",
         "the name is shown in the logs; a weight of 0.01 is usual for a term beside the loss");
  if (!value || value.dtype() != DType::f32)
    fail("the added loss \"" + name + "\" is " +
             (value ? value.shape().str() + " " + dtype_name(value.dtype()) : "an empty Symbol") +
             "; expected f32",
         "make it of the layer's values, e.g. mean(square(x))");
  call_.losses.push_back({name, value, weight});
  kept_.push_back(value);
}

void LayerContext::add_metric(const std::string& name, const Symbol& value) {
  if (name.empty() || !value)
    fail("an added metric is named \"" + name + "\" and is " +
             (value ? value.shape().str() : "an empty Symbol") + "; expected a name and a value",
         "the name is shown in the logs: add_metric(\"usage\", mean(x))");
  const Symbol number = value.dtype() == DType::f32
                            ? value
                            : make("cast", {value}, {{"dtype", static_cast<i64>(DType::f32)}});
  call_.metrics.push_back({name, number});
  kept_.push_back(number);
}

namespace {
thread_local LayerContext* active_context = nullptr;
}  // namespace
LayerContext* current_context() { return active_context; }
ContextScope::ContextScope(LayerContext* context) : before_(active_context) {
  active_context = context;
}
ContextScope::~ContextScope() { active_context = before_; }
void LayerContext::result(const Symbol& symbol) { call_.results.emplace_back(symbol); }

void LayerContext::fail_shape(const std::string& what, const std::string& hint) const {
  throw_shape(layer_message(layer_, call_, what, hint));
}
void LayerContext::fail_type(const std::string& what, const std::string& hint) const {
  throw_type(layer_message(layer_, call_, what, hint));
}
void LayerContext::fail(const std::string& what, const std::string& hint) const {
  throw_graph(layer_message(layer_, call_, what, hint));
}

bool LayerImpl::learns() const {
  if (!trainable) return false;
  // A file's calls may go round in a circle.
  std::vector<std::shared_ptr<LayerImpl>> met;
  std::set<const LayerImpl*> seen = {this};
  const auto meet = [&](const LayerImpl& layer) {
    for (const auto& weak : layer.around)
      if (auto outer = weak.lock(); outer && seen.insert(outer.get()).second)
        met.push_back(std::move(outer));
  };
  meet(*this);
  for (size_t i = 0; i < met.size(); ++i) {
    if (!met[i]->trainable) return false;
    const auto layer = met[i];
    meet(*layer);
  }
  return true;
}

void note_around(const LayerCall& call) {
  if (call.parent && call.parent->layer != call.layer)
    call.layer->around.insert(call.parent->layer);
}

Layer make_layer(LayerImpl impl) {
  return Layer(share(std::make_shared<LayerImpl>(std::move(impl))));
}

void require(bool good, const char* kind, Site site, const std::string& found,
             const std::string& hint) {
  if (good) return;
  throw_graph({.where = place(kind, site), .what = found, .hint = hint});
}

}  // namespace goneuron
