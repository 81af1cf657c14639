// SinusoidalPositions (Vaswani et al. 2017): sines and cosines of each step, added to the sequence.
#include "goneuron/sequence.h"
#include "nn/sequence.h"

namespace goneuron {

Layer SinusoidalPositions(Site site) {
  return make_layer({.kind = "SinusoidalPositions",
                     .prefix = "sinusoidal_positions",
                     .site = site,
                     .build = [](LayerContext& context) {
                       check_sequence(context);
                       return make("sinusoidal_positions", {context.input()});
                     }});
}

}  // namespace goneuron
