// Convolutions of bf16 by the tiles of AMX (conv_tiles.cpp). Used by conv_schemes.h.
#pragma once

#include "backends/cpu/bf16_products.h"
#include "backends/cpu/conv_loops.h"

namespace goneuron::cpu {

/// Whether they are there and suit: words of neighbouring channels fill tiles.
inline bool conv_tiles_suit(i64 channels) {
  return channels > 0 && channels % 32 == 0 && bf16_products() == Bf16::tiles;
}
ConvKernels conv_tiles();
/// Floats of scratch for a convolution, behind its packed weight, and for a weight's gradient.
i64 conv_tiles_floats(const Windows& s);
i64 conv_tiles_gradient_floats(const Windows& s, i64 columns);

}  // namespace goneuron::cpu
