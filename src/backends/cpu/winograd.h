// Convolutions of 3x3 windows, one pixel apart, with a quarter of the multiplications: 4x4 outputs
// at a time by Winograd's F(4x4, 3x3). Images, weights and gradients are turned into the values of
// polynomials at six points an axis; what is a convolution of pixels is then 36 products of
// matrices, of tiles by channels. With the points 0, +-3/4, +-3/2 and infinity the rounding errors
// are about twice those of direct sums. A tile is one chain of operations, wherever the cut.
// Lavin, Gray: Fast algorithms for convolutional neural networks, CVPR 2016. Barabasz, Anderson,
// Soodhalter, Gregg: Error analysis and improving the accuracy of Winograd convolution, 2018.
#pragma once

#include "backends/cpu/conv_loops.h"

namespace goneuron::cpu {

/// Whether a convolution has the shape for it, and is large enough that it pays.
bool winograd_suits(i64 images, const Windows& s, i64 columns);

struct WinogradKernels {
  /// `b` and `tiles` of the convolution are not used.
  void (*convolution)(const Convolution&, const Packing&, const ConvPart&, float* scratch);
  WeightGradientKernel weight_gradient;
};
/// The kernels for this processor.
WinogradKernels winograd_kernels();
/// Floats of scratch that they need.
i64 winograd_floats(const Windows& s, i64 columns);
i64 winograd_gradient_floats(const Windows& s, i64 columns);

}  // namespace goneuron::cpu
