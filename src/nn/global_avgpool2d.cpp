// GlobalAvgPool2D: [h, w, c] -> [c], the mean of each channel.
#include "nn/window.h"

namespace goneuron {

Layer GlobalAvgPool2D(Site site) {
  return make_layer({.kind = "GlobalAvgPool2D",
                     .prefix = "global_avg_pool2d",
                     .site = site,
                     .build = [](LayerContext& context) {
                       check_image(context, Any, "GlobalAvgPool2D()");
                       return make("mean", {context.input()},
                                   {{"axes", std::vector<i64>{1, 2}}, {"keep", i64{0}}});
                     }});
}

}  // namespace goneuron
