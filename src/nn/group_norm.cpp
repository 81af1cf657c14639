// GroupNorm (Wu & He 2018): the channels of the last axis in groups, over all places of a sample.
#include "goneuron/norms.h"
#include "nn/norm.h"
#include "nn/options.h"

namespace goneuron {

namespace {
Symbol build(LayerContext& context, i64 groups, const GroupNormOptions& options) {
  const i64 features = norm_features(context);
  if (features % groups != 0)
    context.fail_shape(std::to_string(groups) + " groups of " + std::to_string(features) +
                           " channels; expected a number of groups that divides them",
                       "32 groups are usual for 64 channels and more; 1 always fits");
  const Symbol gamma = norm_scale(context, options.scale, features);
  const Symbol beta = norm_shift(context, options.shift, features);
  return make("group_norm", {context.input(), gamma, beta},
              {{"epsilon", options.epsilon}, {"groups", groups}});
}
}  // namespace

Layer GroupNorm(i64 groups, const GroupNormOptions& options, Site site) {
  check_count(groups, "groups", "GroupNorm", site);
  check_norm_epsilon(options.epsilon, "GroupNorm", site);
  return make_layer(
      {.kind = "GroupNorm",
       .prefix = "group_norm",
       .name = options.name,
       .site = site,
       .build = [=](LayerContext& context) { return build(context, groups, options); }});
}

}  // namespace goneuron
