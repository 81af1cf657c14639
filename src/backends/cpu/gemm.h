// gemm: C = A B (+ bias, then an activation), one thread, packed and register-blocked, in SIMD
// chosen at run time. Every element of C is one chain of fused multiply-adds over k in order, or,
// of a few long columns, sums of a chain for each lane (gemm_dots-inl.h): which it is depends on n,
// k and how A is stored. Results never depend on rows, tiles or threads.
#pragma once

#include "backends/cpu/follower.h"
#include "backends/cpu/tile_height.h"
#include "backends/cpu/vector_ops.h"

namespace goneuron::cpu {

struct Gemm {
  const float* a = nullptr;  // (i, k) at a[i * a_row + k * a_col]; one of the strides is 1
  i64 a_row = 0, a_col = 1;
  const float* b = nullptr;  // (k, j) at b[k * b_row + j * b_col]; one of the strides is 1
  i64 b_row = 0, b_col = 1;
  float* c = nullptr;  // (i, j) at c[i * c_row + j]
  i64 c_row = 0;
  i64 m = 0, n = 0, k = 0;
  const float* bias = nullptr;  // [n]
  float* z = nullptr;  // receives A B + bias, laid out as c, when the activation needs it later
  UnaryRow activation = nullptr;
  float alpha = 0;
  bool add = false;  // C += A B; without bias and activation
  // Behind A may begin what another worker writes: a product of few columns does not read A by
  // steps as wide as its rows, from which the processor would fetch ahead there.
  bool fenced = false;
  // Works on C, whose rows lie one behind the other then, as they are finished. `first` is the
  // index of c[0] in its tensor.
  const Follower* follower = nullptr;
  i64 first = 0;
  bool alone = false;

  void follow(i64 row, i64 rows) const {
    follower->run(follower->args.get(), first + row * c_row, rows * c_row, alone);
  }

  /// Where A B (+ bias) goes before the activation.
  float* product() const { return z != nullptr ? z : c; }
  /// Whether A is stored by rows; else by columns.
  bool by_rows() const { return a_col == 1; }
};

/// What is packed at a time, in floats or pairs of bf16: steps of the depth, so that a panel of B
/// stays in the first-level cache; rows of A (more when the depth is less), in the second; panels
/// of B, in the third.
constexpr i64 gemm_depth = 288, gemm_rows = 240, gemm_panels = 32;
/// The same of floats in three parts, of which every 32 of the depth are 48 steps.
constexpr i64 gemm_split_depth = 768, gemm_split_rows = 256;
/// Panels of A that a product of few columns packs at a time.
constexpr i64 narrow_panels = 4;
/// Rows that are packed at a time through all tiles, where memory runs across them.
constexpr i64 pack_rows = 8;

using GemmKernel = void (*)(const Gemm& gemm, void* scratch);
/// The kernel for this processor.
GemmKernel gemm_kernel();
/// The same for an operation of these sizes, whatever part of it a call computes: by the tiles of
/// AMX, where there are some and it is large enough (gemm_tiles.cpp). So with AMX a product of few
/// rows, alone, may differ in the last bits from the same rows among many.
GemmKernel gemm_kernel_for(i64 m, i64 n, i64 k);
/// The same with operands rounded to bf16, whose products and sums are floats (gemm_bf16.cpp).
GemmKernel gemm_bf16_kernel();
/// Whether a product of these sizes, or of more rows, gains by a follower: it is made in parts of
/// whole rows that are in the cache when they are finished.
bool gemm_takes_follower(i64 m, i64 n, i64 k);
/// Bytes of scratch that it needs for a product of these sizes, or of fewer rows or columns.
i64 gemm_scratch(i64 m, i64 n, i64 k);

}  // namespace goneuron::cpu
