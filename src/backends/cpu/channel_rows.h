// Loops over rows of channels with numbers for each channel: sums over rows and batch norm, in SIMD
// chosen at run time. Narrow rows are taken many at a time, so that vectors are full.
#pragma once

#include <cmath>

#include "goneuron/shape.h"

namespace goneuron::cpu {

/// y = (x - mean) * scale + shift without dy; else scale * (dy - shift - (x - mean) * slope). With
/// `relu` the first is relu(.. + residual); with `beta` dy counts where (x - mean) * scale + beta,
/// relu's input, was above 0.
struct Normalise {
  const float *x, *dy;
  float* y;
  const float *mean, *scale, *shift, *slope;  // [channels]
  const float* residual = nullptr;            // as x
  bool relu = false;
  const float* beta = nullptr;  // [channels]
};

struct ChannelRows {
  /// first += sum of (x - mean)^2 over rows, or with dy of dy (x - mean), and then second += sum
  /// of dy.
  void (*deviations)(const float* x, const float* dy, const float* mean, i64 rows, i64 channels,
                     float* first, float* second, float* scratch);
  /// sums += x, whose rows are `stride` apart.
  void (*sums)(const float* x, i64 rows, i64 channels, i64 stride, float* sums, float* scratch);
  /// The same with dy where (x - mean) scale + beta, relu's input, was above 0.
  void (*masked_deviations)(const float* x, const float* dy, const float* mean, const float* scale,
                            const float* beta, i64 rows, i64 channels, float* first, float* second,
                            float* scratch);
  void (*normalise)(const Normalise& args, i64 rows, i64 channels, float* scratch);
};
ChannelRows channel_rows();
/// Bytes of scratch that they need.
i64 channel_rows_scratch(i64 channels);

}  // namespace goneuron::cpu
