// GlobalAttention: a weighted sum over time, weighted by additive attention with a learned query
// (Bahdanau et al. 2015; Yang et al. 2016).
#include "goneuron/functions.h"
#include "goneuron/sequence.h"
#include "nn/options.h"
#include "nn/sequence.h"

namespace goneuron {

namespace {
// Far below any score, and finite: a sequence without a step that counts stays free of NaN.
constexpr double never = -1e30;

Symbol build(LayerContext& context, const GlobalAttentionOptions& options) {
  const i64 features = check_sequence(context);
  const i64 units = options.units == Any ? features : options.units;
  const Symbol& x = context.input();
  const Symbol mask = mask_input(context);
  const Symbol weight =
      context.parameter("weight", {features, units}, options.weight_init, features, units);
  const Symbol bias = context.parameter("bias", {units}, options.bias_init, features, units);
  const Symbol query = context.parameter("query", {units, 1}, options.query_init, units, 1);
  Symbol scores = squeeze(matmul(tanh(matmul(x, weight) + bias), query), -1);
  if (mask) scores = where(mask, scores, never);
  Symbol share = softmax(scores);
  if (mask) share = share * mask;
  return squeeze(matmul(expand_dims(share, 1), x), 1);
}
}  // namespace

Layer GlobalAttention(const GlobalAttentionOptions& options, Site site) {
  if (options.units != Any) check_count(options.units, "units", "GlobalAttention", site);
  check_initializer(options.weight_init, "weight_init", "GlobalAttention", site);
  check_initializer(options.bias_init, "bias_init", "GlobalAttention", site);
  check_initializer(options.query_init, "query_init", "GlobalAttention", site);
  return make_layer({.kind = "GlobalAttention",
                     .prefix = "global_attention",
                     .name = options.name,
                     .site = site,
                     .max_inputs = 2,
                     .build = [=](LayerContext& context) { return build(context, options); }});
}

}  // namespace goneuron
