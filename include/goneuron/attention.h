// Attention: every position of a sequence looks at the others. Shapes leave out the batch: a
// sequence is [time, width], the mask of a sequence [time] of floats, 1 for the steps that count
// and 0 for padding. Included by goneuron.h; transformer.h has whole blocks.
#pragma once

#include "goneuron/initializer.h"
#include "goneuron/layer.h"

namespace goneuron {

struct AttentionOptions {
  /// Key and value heads; 0: as many as `heads`. Fewer are shared by groups of query heads (Ainslie
  /// et al. 2023): they must divide `heads`.
  i64 kv_heads = 0;
  i64 head_dim = 0;     ///< features of a head; 0: width / heads
  bool causal = false;  ///< a position sees itself and those before it
  /// Sees positions less than this far away only (with causal: the last `window`, its own
  /// included); 0: all. Time is linear in it.
  i64 window = 0;
  bool rope = false;         ///< rotary positions (Su et al. 2021), of neighbours (2i, 2i + 1)
  double rope_base = 10000;  ///< neighbours turn by position / base^(2i / head_dim)
  double rope_scale = 1;     ///< multiplies positions: 0.5 makes them half as dense
  double dropout = 0;        ///< share of the weights that training sets to zero, in [0, 1)
  double scale = 0;          ///< of the scores; 0: 1 / sqrt(head_dim)
  bool bias = true;
  Initializer in_init = GlorotUniform;  ///< of all projections of inputs together, as PyTorch's
  Initializer out_init = TorchDefault;  ///< of the last projection
  const char* name = "";
};
/// [time, width] -> [time, width] (Vaswani et al. 2017). Called with
///   x                  self-attention: queries, keys and values by one product
///   {x, memory}        cross-attention: queries of x, keys and values of memory [keys, any width]
///   {x, mask}, {x, memory, mask}    keys where the mask is 0 are not seen
/// Weights: in_weight [width, (heads + 2 kv_heads) head_dim], all queries, then keys, then values;
/// with memory q_weight and kv_weight; out_weight [heads head_dim, width]; biases zero at first, as
/// in PyTorch's MultiheadAttention. No score matrix is stored, memory is linear in time. A query
/// without a key gets zeros. Throws GraphError for counts that do not fit each other and ShapeError
/// for a width that `heads` does not divide or a mask of another length.
Layer MultiHeadAttention(i64 heads, const AttentionOptions& options = {}, Site site = Site::here());

}  // namespace goneuron
