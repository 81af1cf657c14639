// Flatten: [a, b, ..] -> [a b ..], memory as it stands.
#include "goneuron/layers.h"
#include "graph/layer_impl.h"

namespace goneuron {

Layer Flatten(Site site) {
  return make_layer(
      {.kind = "Flatten", .prefix = "flatten", .site = site, .build = [](LayerContext& context) {
         const Shape sample = context.input().shape().without_batch();
         if (!sample.known())
           context.fail_shape("a dimension of the sample is not known yet",
                              "give it to Input(), or build() the model");
         return make("reshape", {context.input()},
                     {{"shape", std::vector<i64>{-1, sample.elements()}}});
       }});
}

}  // namespace goneuron
