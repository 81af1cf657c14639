// RMSNorm (Zhang & Sennrich 2019) over the last axis.
#include "goneuron/norms.h"
#include "nn/norm.h"

namespace goneuron {

namespace {
Symbol build(LayerContext& context, const RMSNormOptions& options) {
  const i64 features = norm_features(context);
  const Symbol gamma = norm_scale(context, options.scale, features);
  return make("rms_norm", {context.input(), gamma}, {{"epsilon", options.epsilon}});
}
}  // namespace

Layer RMSNorm(const RMSNormOptions& options, Site site) {
  check_norm_epsilon(options.epsilon, "RMSNorm", site);
  return make_layer({.kind = "RMSNorm",
                     .prefix = "rms_norm",
                     .name = options.name,
                     .site = site,
                     .build = [=](LayerContext& context) { return build(context, options); }});
}

}  // namespace goneuron
