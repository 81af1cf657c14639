// GlobalAveragePooling1D: the mean over the steps that count.
#include "goneuron/functions.h"
#include "goneuron/sequence.h"
#include "nn/sequence.h"

namespace goneuron {

namespace {
Symbol build(LayerContext& context) {
  check_sequence(context);
  const Symbol& x = context.input();
  const Symbol mask = mask_input(context);
  if (!mask) return mean(x, {1});
  const Symbol total = squeeze(matmul(expand_dims(mask, 1), x), 1);
  return total / maximum(sum(mask, {1}, true), 1);
}
}  // namespace

Layer GlobalAveragePooling1D(Site site) {
  return make_layer({.kind = "GlobalAveragePooling1D",
                     .prefix = "global_average_pooling1d",
                     .site = site,
                     .max_inputs = 2,
                     .build = build});
}

}  // namespace goneuron
