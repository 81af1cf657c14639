#include "nn/norm.h"

#include <algorithm>
#include <cmath>

#include "core/message.h"

namespace goneuron {

namespace {
Symbol filled(i64 count, float value) {
  Tensor tensor(Shape{count});
  std::fill_n(tensor.data<float>(), count, value);
  return constant_symbol(tensor);
}
}  // namespace

i64 norm_features(const LayerContext& context) {
  const Shape& shape = context.input().shape();
  if (shape.rank() < 2)
    context.fail_shape("a sample is a single number; expected features on the last axis",
                       "add Reshape({1}) before it");
  if (shape[-1] == Any)
    context.fail_shape("the last axis is not known yet; expected a number of features",
                       "give it to Input(), or build() the model");
  return shape[-1];
}

Symbol norm_scale(LayerContext& context, bool learned, i64 features) {
  if (!learned) return filled(features, 1);
  return context.parameter("weight", {features}, Ones, features, features);
}

Symbol norm_shift(LayerContext& context, bool learned, i64 features) {
  if (!learned) return filled(features, 0);
  return context.parameter("bias", {features}, Zeros, features, features);
}

void check_norm_epsilon(double epsilon, const char* kind, Site site) {
  require(epsilon > 0 && std::isfinite(epsilon), kind, site,
          "an epsilon of " + number_text(epsilon) + "; expected above 0",
          "it keeps a row without variance from dividing by 0; 1e-5 is usual, 1e-6 for RMSNorm");
}

}  // namespace goneuron
