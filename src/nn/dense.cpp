// Dense: y = activation(x W + b) over the last axis, W [in, units], b [units].
#include "goneuron/layers.h"
#include "graph/layer_impl.h"
#include "nn/options.h"

namespace goneuron {

namespace {
Symbol build(LayerContext& context, i64 in, i64 units, const DenseOptions& options) {
  const Symbol& x = context.input();
  if (x.shape().rank() < 2)
    context.fail_shape("a sample is a single number; expected features on the last axis",
                       "add Reshape({1}) before it");
  const i64 features = x.shape()[-1];
  if (in != Any && features != in)
    context.fail_shape(
        "last axis is " + std::to_string(features) + "; expected " + std::to_string(in) +
            ", which this layer was made for",
        "pass the width that arrives, or let it be inferred: Dense(" + std::to_string(units) + ")");
  const Shape shape{features, units};
  const Symbol weight = context.parameter("weight", shape, options.weight_init, features, units);
  Symbol y = make("matmul", {x, weight});
  if (options.bias)
    y = make("add", {y, context.parameter("bias", {units}, options.bias_init, features, units)});
  return options.activation(y, {});
}

Layer dense(i64 in, i64 units, const DenseOptions& options, Site site) {
  check_count(units, "units", "Dense", site);
  check_initializer(options.weight_init, "weight_init", "Dense", site);
  check_initializer(options.bias_init, "bias_init", "Dense", site);
  return make_layer({.kind = "Dense",
                     .prefix = "dense",
                     .name = options.name,
                     .site = site,
                     .build = [=](LayerContext& c) { return build(c, in, units, options); }});
}
}  // namespace

Layer Dense(i64 units, const DenseOptions& options, Site site) {
  return dense(Any, units, options, site);
}

Layer Dense(i64 units, const Activation& activation, Site site) {
  return dense(Any, units, {.activation = activation}, site);
}

Layer Dense(i64 in, i64 out, const Activation& activation, Site site) {
  check_count(in, "inputs", "Dense", site);
  return dense(in, out, {.activation = activation}, site);
}

}  // namespace goneuron
