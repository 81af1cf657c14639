// Loops over rows of the last axis that are normalised one by one: layer norm and RMS norm, their
// gradients, and the element loop of group norm's gradient; in SIMD chosen at run time. A row stays
// in the first-level cache between its passes. A row's result does not depend on its neighbours.
#pragma once

#include "goneuron/shape.h"

namespace goneuron::cpu {

/// Rows of `n`; `mean` and `beta` are null for RMS norm.
struct RowNormArgs {
  const float *x, *dy;        // [rows, n]
  const float *gamma, *beta;  // [n]
  float *mean, *rstd;         // [rows]; written by `forward`, read by the others
  float* out;                 // [rows, n]
  i64 n;
  float epsilon;
};

struct RowNorm {
  void (*forward)(const RowNormArgs& args, i64 rows);
  void (*input_grad)(const RowNormArgs& args, i64 rows);
  /// dgamma += sum over rows of dy (x - mean) rstd, dbeta += sum of dy; dbeta null: only the first.
  void (*weight_sums)(const RowNormArgs& args, i64 rows, float* dgamma, float* dbeta);
  /// out = scale dy + slope (x - mean) + shift, all [n].
  void (*blend)(const RowNormArgs& args, i64 rows, const float* mean, const float* scale,
                const float* slope, const float* shift);
};
RowNorm row_norm();

}  // namespace goneuron::cpu
