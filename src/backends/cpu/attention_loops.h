// Attention of one key head of one sample: loops over blocks of queries and keys that keep a block
// of the scores and never the whole matrix. Used by kernels/attention.cpp.
#pragma once

#include "ops/attention.h"

namespace goneuron::cpu {

struct AttentionLoops {
  AttentionSizes sizes;
  const float *q = nullptr, *kv = nullptr, *mask = nullptr;  // as the op's inputs
  float *out = nullptr, *lse = nullptr;                      // written by forward, read by backward
  const float *dout = nullptr, *dlse = nullptr;              // dlse may be null
  float *dq = nullptr, *dkv = nullptr;  // one memory where queries, keys and values are packed
  const StepScalars* scalars = nullptr;
  std::uint32_t stream = 0;
  bool bf16 = false;  // products of operands rounded to bf16
};

/// Sample `batch`, key head `head` with the query heads that share it.
using AttentionHead = void (*)(const AttentionLoops& loops, i64 batch, i64 head, void* scratch);
AttentionHead attention_forward();
AttentionHead attention_backward();
/// Bytes of scratch: linear in the number of keys.
i64 attention_scratch(const AttentionSizes& sizes, bool backward);

/// c [rows, columns] (+)= the sum over k of a[i a_row + k a_step] b[k b_row + j]; the columns are
/// one vector of the processor or two.
struct AttentionProduct {
  const float* a;
  i64 a_row, a_step;
  const float* b;
  i64 b_row, k;
  float* c;
  i64 c_row, rows, vectors;
  bool add;
};

/// Products of pairs of bf16, which k counts, and their operands out of floats
/// (attention_pairs.cpp); null where those are not taken.
struct AttentionPairs {
  void (*product)(const AttentionProduct&);
  /// Neighbours of each of n rows of `depth`: [n, depth / 2], rows `to_row` apart.
  void (*neighbours)(const float* from, i64 row, i64 n, i64 depth, float* to, i64 to_row);
  /// Neighbouring rows: [n / 2, width], zeros behind `depth` and for what an odd last row lacks.
  void (*rows)(const float* from, i64 row, i64 n, i64 depth, float* to, i64 width);
  /// Neighbours of each row, transposed: [depth / 2, 32], zeros behind n.
  void (*turned)(const float* from, i64 row, i64 n, i64 depth, float* to);
};
const AttentionPairs* attention_pairs();

}  // namespace goneuron::cpu
