// Loops over contiguous rows of floats: activations, their gradients, arithmetic, optimizer
// updates. Each element's result is the same wherever it stands in a row. Pointers to the SIMD
// version for this processor are taken once, at lowering. NaN stays NaN.
#pragma once

#include <string_view>

#include "goneuron/shape.h"

namespace goneuron::cpu {

/// y[i] = f(x[i]); y may be x. a and b are the op's parameters (alpha; scale and shift).
using UnaryRow = void (*)(const float* x, float* y, i64 n, float a, float b);
/// out[i] = f(x[i], y[i]); out may be x or y.
using BinaryRow = void (*)(const float* x, const float* y, float* out, i64 n, float a);

/// By the op's name; null when there is none.
UnaryRow unary_row(std::string_view op);
BinaryRow binary_row(std::string_view op);

struct AdamStep {
  float learning_rate, beta1, beta2, epsilon, weight_decay;
  float step_size, correction2_sqrt;  // learning_rate / correction1; sqrt(correction2)
  bool decoupled;
  float scale = 1, bound = 0;  // of the gradient; read by clipped rows alone
};
using AdamRow = void (*)(float* p, const float* g, float* m, float* v, i64 n, const AdamStep& step);
/// Clipped: of scale g, kept within [-bound, bound]. Streaming: p goes past the caches, and
/// hwy::FlushStream() must follow before another thread reads it.
AdamRow adam_row(bool clipped, bool streaming);

struct SgdStep {
  float learning_rate, momentum, weight_decay;
  bool nesterov;
  float scale = 1, bound = 0;  // as AdamStep's
};
/// `velocity` is null without momentum.
using SgdRow = void (*)(float* p, const float* g, float* velocity, i64 n, const SgdStep& step);
SgdRow sgd_row(bool clipped, bool streaming);

/// y = softmax(x), or log softmax, of rows of n; they may be the same memory.
using SoftmaxRows = void (*)(const float* x, float* y, i64 rows, i64 n);
SoftmaxRows softmax_rows(bool log);

/// sums[j] += x[j] over `rows` rows of `n`, `stride` apart.
using ColumnSums = void (*)(const float* x, i64 rows, i64 n, i64 stride, float* sums);
ColumnSums column_sums();

}  // namespace goneuron::cpu
