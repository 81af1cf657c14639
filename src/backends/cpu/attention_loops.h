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
};

/// Sample `batch`, key head `head` with the query heads that share it.
using AttentionHead = void (*)(const AttentionLoops& loops, i64 batch, i64 head, void* scratch);
AttentionHead attention_forward();
AttentionHead attention_backward();
/// Bytes of scratch: linear in the number of keys.
i64 attention_scratch(const AttentionSizes& sizes, bool backward);

}  // namespace goneuron::cpu
