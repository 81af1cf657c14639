// CLSPooling: the first step of a sequence.
#include "goneuron/functions.h"
#include "goneuron/sequence.h"
#include "nn/sequence.h"

namespace goneuron {

Layer CLSPooling(Site site) {
  return make_layer({.kind = "CLSPooling",
                     .prefix = "cls_pooling",
                     .site = site,
                     .build = [](LayerContext& context) {
                       check_sequence(context);
                       const Symbol first =
                           make("slice", {context.input()},
                                {{"axis", i64{1}}, {"begin", i64{0}}, {"end", i64{1}}});
                       return squeeze(first, 1);
                     }});
}

}  // namespace goneuron
