// Shapes and strides of the attention ops: who is where in the packed tensors, and which keys a
// query sees. Used by the reference kernels and by the backends.
#pragma once

#include <algorithm>

#include "ops/common.h"

namespace goneuron {

/// Self-attention reads [batch, length, (heads + 2 kv_heads) dim]: all queries of a position, then
/// its keys, then its values. Cross-attention reads queries [batch, queries, heads dim] and packed
/// keys and values [batch, keys, 2 kv_heads dim].
struct AttentionSizes {
  i64 batch = 0, queries = 0, keys = 0, heads = 1, kv_heads = 1, dim = 0;
  bool cross = false, mask = false, causal = false;
  i64 window = 0;  // 0: none
  double scale = 1, dropout = 0;

  i64 group() const { return heads / kv_heads; }  // query heads that share a key head
  i64 q_row() const { return (cross ? heads : heads + 2 * kv_heads) * dim; }
  i64 kv_row() const { return cross ? 2 * kv_heads * dim : q_row(); }
  i64 k_at() const { return cross ? 0 : heads * dim; }
  i64 v_at() const { return k_at() + kv_heads * dim; }
  i64 out_row() const { return heads * dim; }
  int operands() const { return 1 + (cross ? 1 : 0) + (mask ? 1 : 0); }

  /// Query i sees keys [first_key(i), end_key(i)), of those that the mask keeps: |i - j| < window,
  /// and j <= i where causal.
  i64 first_key(i64 i) const {
    return window ? std::min(keys, std::max<i64>(0, i - window + 1)) : 0;
  }
  i64 end_key(i64 i) const {
    if (causal) return std::min(keys, i + 1);
    return window ? std::min(keys, i + window) : keys;
  }
  double pairs() const {
    double sum = 0;
    for (i64 i = 0; i < queries; ++i)
      sum += static_cast<double>(std::max<i64>(0, end_key(i) - first_key(i)));
    return sum * static_cast<double>(batch * heads);
  }
  /// Random words of dropout: a row of the scores begins at a multiple of 64 elements.
  i64 dropout_row() const { return (keys + 63) / 64 * 64; }
};

/// From the shape of queries (or packed queries, keys and values), and of keys and values.
inline AttentionSizes attention_sizes(const Shape& q, const Shape& kv, const Attrs& attrs) {
  AttentionSizes s;
  s.cross = attrs.integer("cross", 0) != 0;
  s.mask = attrs.integer("mask", 0) != 0;
  s.heads = attrs.integer("heads");
  s.kv_heads = attrs.integer("kv_heads");
  s.causal = attrs.integer("causal", 0) != 0;
  s.window = attrs.integer("window", 0);
  s.scale = attrs.real("scale");
  s.dropout = attrs.real("dropout", 0);
  s.batch = q[0];
  s.queries = q[1];
  s.keys = s.cross ? kv[1] : q[1];
  s.dim = q[2] / (s.cross ? s.heads : s.heads + 2 * s.kv_heads);
  return s;
}

}  // namespace goneuron
