// BatchNorm (Ioffe & Szegedy 2015) over the last axis; defaults and running statistics are
// PyTorch's.
#include <algorithm>
#include <cmath>

#include "core/message.h"
#include "goneuron/layers.h"
#include "graph/layer_impl.h"

namespace goneuron {

namespace {
Symbol filled(i64 count, float value) {
  Tensor tensor(Shape{count});
  std::fill_n(tensor.data<float>(), count, value);
  return constant_symbol(tensor);
}

Symbol build(LayerContext& context, const BatchNormOptions& options) {
  const Symbol& x = context.input();
  if (x.shape().rank() < 2)
    context.fail_shape("a sample is a single number; expected features on the last axis",
                       "add Reshape({1}) before it");
  const i64 features = x.shape()[-1];
  const Shape shape{features};
  const Symbol gamma = options.scale ? context.parameter("weight", shape, Ones, features, features)
                                     : filled(features, 1);
  const Symbol beta = options.shift ? context.parameter("bias", shape, Zeros, features, features)
                                    : filled(features, 0);
  const Symbol mean = context.state("running_mean", shape, Zeros);
  const Symbol var = context.state("running_var", shape, Ones);
  const Symbol y = make("batch_norm", {x, gamma, beta, mean, var}, {{"epsilon", options.epsilon}});
  const auto update = [&](const Symbol& state, int statistic, i64 unbiased) {
    context.update(make("moving_average", {state, output_of(y, statistic), x},
                        {{"momentum", options.momentum}, {"unbiased", unbiased}}));
  };
  update(mean, 1, 0);
  update(var, 2, 1);
  return y;
}
}  // namespace

Layer BatchNorm(const BatchNormOptions& options, Site site) {
  require(options.momentum >= 0 && options.momentum <= 1, "BatchNorm", site,
          "a momentum of " + number_text(options.momentum) + "; expected 0 to 1",
          "momentum is the new batch's share in the running statistics (Keras' 0.9 is 0.1)");
  require(options.epsilon > 0 && std::isfinite(options.epsilon), "BatchNorm", site,
          "an epsilon of " + number_text(options.epsilon) + "; expected above 0",
          "it keeps features of variance 0 from dividing by 0; 1e-5 is usual");
  return make_layer({.kind = "BatchNorm",
                     .prefix = "batch_norm",
                     .name = options.name,
                     .site = site,
                     .build = [=](LayerContext& context) { return build(context, options); }});
}

}  // namespace goneuron
