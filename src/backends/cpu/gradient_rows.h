// Loops over contiguous floats of gradients and weights: their squares, sums over batches, moving
// averages. Used by the kernels of those names; SIMD for this processor, chosen at lowering.
#pragma once

#include "goneuron/shape.h"

namespace goneuron::cpu {

/// The sum of x[i]^2: lanes in f32 over blocks, the blocks in double, in one order.
using SquaresRow = double (*)(const float* x, i64 n);
SquaresRow squares_row();

/// sum[i] = sum[i] + share g[i], or share g[i] when not `adds`.
using AccumulateRow = void (*)(float* sum, const float* g, i64 n, float share, bool adds);
AccumulateRow accumulate_row();

/// average[i] += share (weight[i] - average[i])
using EmaRow = void (*)(float* average, const float* weight, i64 n, float share);
EmaRow ema_row();

}  // namespace goneuron::cpu
