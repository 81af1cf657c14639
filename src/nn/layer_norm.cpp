// LayerNorm (Ba, Kiros & Hinton 2016) over the last axis.
#include "goneuron/norms.h"
#include "nn/norm.h"

namespace goneuron {

namespace {
Symbol build(LayerContext& context, const LayerNormOptions& options) {
  const i64 features = norm_features(context);
  const Symbol gamma = norm_scale(context, options.scale, features);
  const Symbol beta = norm_shift(context, options.shift, features);
  return make("layer_norm", {context.input(), gamma, beta}, {{"epsilon", options.epsilon}});
}
}  // namespace

Layer LayerNorm(const LayerNormOptions& options, Site site) {
  check_norm_epsilon(options.epsilon, "LayerNorm", site);
  return make_layer({.kind = "LayerNorm",
                     .prefix = "layer_norm",
                     .name = options.name,
                     .site = site,
                     .build = [=](LayerContext& context) { return build(context, options); }});
}

}  // namespace goneuron
