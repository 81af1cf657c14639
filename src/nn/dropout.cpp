// Dropout (Srivastava et al. 2014), inverted: in training a share `rate` becomes zero and the rest
// grows by 1 / (1 - rate); in inference nothing happens.
#include "core/message.h"
#include "goneuron/layers.h"
#include "graph/layer_impl.h"

namespace goneuron {

Layer Dropout(double rate, Site site) {
  require(rate >= 0 && rate < 1, "Dropout", site,
          "a rate of " + number_text(rate) + "; expected at least 0 and below 1",
          "the rate is the share that is set to zero; 0.5 is usual");
  return make_layer(
      {.kind = "Dropout", .prefix = "dropout", .site = site, .build = [=](LayerContext& context) {
         // Model numbers the streams in graph order when it is built.
         return make("dropout", {context.input()}, {{"rate", rate}, {"stream", i64{0}}});
       }});
}

}  // namespace goneuron
