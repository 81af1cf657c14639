#include "graph/layer_impl.h"

#include "core/message.h"

namespace goneuron {

namespace {
std::string input_text(const Symbol& input) {
  std::string text = input.shape().str();
  const Expr& expr = *input.expr();
  if (expr.call) return text + "   from " + expr.call->layer->describe();
  if (expr.kind != Expr::Kind::input) return text;
  const std::string site = site_text(expr.site);
  return text + "   from Input" + (expr.name.empty() ? "" : " \"" + expr.name + "\"") +
         (site.empty() ? "" : " (" + site + ")");
}

Message layer_message(const LayerImpl& layer, const LayerCall& call, const std::string& what,
                      const std::string& hint) {
  Message message{.where = layer.describe(), .what = what, .hint = hint};
  for (const Symbol& input : call.inputs) message.lines.emplace_back("input", input_text(input));
  return message;
}
}  // namespace

std::string LayerImpl::describe() const {
  std::string text = kind;
  if (!name.empty()) text += " \"" + name + "\"";
  const std::string where = site_text(site);
  return where.empty() ? text : text + " (" + where + ")";
}

const std::vector<Symbol>& LayerContext::inputs() const { return call_.inputs; }

Symbol LayerContext::parameter(const char* name, const Shape& shape, const Initializer& init,
                               i64 fan_in, i64 fan_out) {
  for (const auto& variable : layer_.variables) {
    if (variable->name != name) continue;
    if (variable->type.shape == shape) return variable_symbol(variable);
    Message message =
        layer_message(layer_, call_,
                      "this call needs a " + std::string(name) + " of " + shape.str() +
                          ", the layer's is " + variable->type.shape.str(),
                      "a Layer used twice shares its weights; make a second " + layer_.kind +
                          " for another input width");
    message.lines.emplace_back(name, variable->type.shape.str() + "   created by the first call");
    throw_shape(message);
  }
  for (const i64 dim : shape)
    if (dim == Any)
      fail_shape(std::string(name) + " would be " + shape.str() + ": a dimension is not known yet",
                 "give it to Input(), or build() the model");
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
  updates_.push_back(symbol);
}

void LayerContext::fail_shape(const std::string& what, const std::string& hint) const {
  throw_shape(layer_message(layer_, call_, what, hint));
}
void LayerContext::fail(const std::string& what, const std::string& hint) const {
  throw_graph(layer_message(layer_, call_, what, hint));
}

Layer make_layer(LayerImpl impl) {
  auto shared = std::make_shared<LayerImpl>(std::move(impl));
  return Layer(shared);
}

void require(bool good, const char* kind, Site site, const std::string& found,
             const std::string& hint) {
  if (good) return;
  const std::string where = site_text(site);
  throw_graph({.where = where.empty() ? kind : std::string(kind) + " (" + where + ")",
               .what = found,
               .hint = hint});
}

}  // namespace goneuron
