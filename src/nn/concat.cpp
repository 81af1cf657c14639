// Concat: joins two or more symbols along one axis; all other axes must agree.
#include "goneuron/layers.h"
#include "graph/layer_impl.h"

namespace goneuron {

namespace {
Symbol build(LayerContext& context, int wanted) {
  const auto& inputs = context.inputs();
  const Shape& first = inputs[0].shape();
  const int axis = wanted < 0 ? wanted + first.rank() : wanted;
  if (axis < 0 || axis >= first.rank())
    context.fail_shape("there is no axis " + std::to_string(wanted) + " in " + first.str() +
                           "; expected 1 to " + std::to_string(first.rank() - 1),
                       "axes count the batch as 0; -1 is the last one");
  if (axis == 0)
    context.fail("axis 0 is the batch; expected another axis",
                 "join along another axis; -1 is the last one");
  for (size_t i = 1; i < inputs.size(); ++i) {
    Shape other = inputs[i].shape();
    if (other.rank() == first.rank()) other.set(axis, first[axis]);
    if (!(other == first))
      context.fail_shape("input 1 is " + first.str() + ", input " + std::to_string(i + 1) + " is " +
                             inputs[i].shape().str() + "; expected them to differ in axis " +
                             std::to_string(axis) + " only",
                         "bring the other axes to one size first, or join along another axis");
  }
  return make("concat", inputs, {{"axis", i64{axis}}});
}
}  // namespace

Layer Concat(const ConcatOptions& options, Site site) {
  return make_layer({.kind = "Concat",
                     .prefix = "concat",
                     .site = site,
                     .min_inputs = 2,
                     .max_inputs = 64,
                     .build = [axis = options.axis](LayerContext& c) { return build(c, axis); }});
}

}  // namespace goneuron
