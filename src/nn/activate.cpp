// Activations: as functions on symbols, as layers, and as the last op of Dense and Conv2D.
#include <cmath>
#include <cstring>
#include <utility>

#include "core/message.h"
#include "goneuron/layers.h"
#include "graph/layer_impl.h"

namespace goneuron {

namespace {
constexpr std::pair<const char*, const char*> kinds[] = {
    {"linear", "Linear"},   {"relu", "ReLU"}, {"leaky_relu", "LeakyReLU"},
    {"sigmoid", "Sigmoid"}, {"tanh", "Tanh"}, {"softmax", "Softmax"},
    {"gelu", "GELU"},       {"silu", "SiLU"}, {"log_softmax", "LogSoftmax"},
    {"elu", "ELU"},         {"selu", "SELU"}};

const char* kind_of(const Activation& activation) {
  for (const auto& [op, kind] : kinds)
    if (std::strcmp(op, activation.op()) == 0) return kind;
  return activation.op();
}

bool is(const Activation& activation, const char* op) {
  return std::strcmp(activation.op(), op) == 0;
}
bool has_alpha(const Activation& activation) {
  return is(activation, "leaky_relu") || is(activation, "elu");
}

void check_alpha(const Activation& activation, Site site) {
  // Gradients read the sign of the input off the output, which a negative alpha would turn around.
  require(!has_alpha(activation) || (activation.alpha() >= 0 && std::isfinite(activation.alpha())),
          kind_of(activation), site,
          "an alpha of " + number_text(activation.alpha()) + "; expected a finite number from 0 up",
          "alpha is the slope (LeakyReLU) or the scale (ELU) of the negative side");
}
}  // namespace

Symbol Activation::operator()(const Symbol& x, Site site) const {
  if (*site.file == '\0' && current_call()) site = current_call()->layer->site;
  check_alpha(*this, site);
  if (is(*this, "linear")) return x;
  Attrs attrs;
  if (has_alpha(*this)) attrs.set("alpha", alpha_);
  return make(op_, {x}, std::move(attrs), site);
}

Layer::Layer(const Activation& activation, Site site) {
  check_alpha(activation, site);
  *this =
      make_layer({.kind = kind_of(activation),
                  .prefix = activation.op(),
                  .site = site,
                  .build = [activation](LayerContext& c) { return activation(c.input(), {}); }});
}

Layer Activate(const Activation& activation, Site site) { return {activation, site}; }

}  // namespace goneuron
