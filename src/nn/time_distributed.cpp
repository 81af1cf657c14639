// TimeDistributed: a layer on each step by itself; the steps become samples, and sequences again.
#include "goneuron/sequence.h"
#include "nn/sequence.h"

namespace goneuron {

namespace {
Symbol build(LayerContext& context, const Layer& layer) {
  const Symbol& x = context.input();
  if (x.shape().rank() < 3)
    context.fail_shape("a sample is " + x.shape().without_batch().str() +
                           "; expected [time, ..], with at least one axis a step",
                       "call the layer itself, or add Reshape({Any, 1}) before it");
  const Symbol y = layer(make("merge_batch", {x}), layer.impl()->site);
  return make("split_batch", {y, x});
}
}  // namespace

Layer TimeDistributed(const Layer& layer, Site site) {
  require(layer.impl() != nullptr, "TimeDistributed", site,
          "an empty Layer; expected one that a factory made",
          "make it with a factory: TimeDistributed(Dense(10))");
  return make_layer({.kind = "TimeDistributed",
                     .prefix = "time_distributed",
                     .site = site,
                     .input_dtype = layer.impl()->input_dtype,
                     .build = [=](LayerContext& context) { return build(context, layer); }});
}

}  // namespace goneuron
