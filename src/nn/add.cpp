// Add: the sum of two or more symbols of one shape; nothing is broadcast.
#include "goneuron/layers.h"
#include "graph/layer_impl.h"

namespace goneuron {

namespace {
Symbol build(LayerContext& context) {
  const auto& inputs = context.inputs();
  for (size_t i = 1; i < inputs.size(); ++i)
    if (!(inputs[i].shape() == inputs[0].shape()))
      context.fail_shape("input 1 is " + inputs[0].shape().str() + ", input " +
                             std::to_string(i + 1) + " is " + inputs[i].shape().str() +
                             "; expected one shape for all",
                         "bring them to one shape first, e.g. with Dense or a 1 x 1 Conv2D");
  Symbol total = inputs[0];
  for (size_t i = 1; i < inputs.size(); ++i) total = make("add", {total, inputs[i]});
  return total;
}
}  // namespace

Layer Add(Site site) {
  return make_layer({.kind = "Add",
                     .prefix = "add",
                     .site = site,
                     .min_inputs = 2,
                     .max_inputs = 64,
                     .build = build});
}

}  // namespace goneuron
