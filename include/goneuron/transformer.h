// Transformer blocks: attention and a feed-forward net with norms and residual sums. Shapes leave
// out the batch, as in attention.h. Included by goneuron.h.
#pragma once

#include "goneuron/attention.h"
#include "goneuron/norms.h"

namespace goneuron {

/// What stands between the two products of a block's feed-forward net: an activation, or SwiGLU.
/// Numbers, for the positional forms: 0 ReLU, 1 GELU, 2 SwiGLU.
struct FeedForward {
  constexpr FeedForward(const Activation& activation)  // NOLINT: converts on purpose
      : activation(activation) {}
  constexpr FeedForward(int kind)  // NOLINT: converts on purpose
      : activation(kind == 0   ? ReLU
                   : kind == 1 ? GELU
                               : SiLU),
        gated(kind == 2),
        kind(kind) {}
  Activation activation;
  bool gated = false;
  int kind = 0;
};
/// silu(x Wg) * (x Wu), then Wd (Shazeer 2020).
inline constexpr FeedForward SwiGLU{2};

/// The norm of a block: LayerNorm or RMSNorm, or 0 or 1 in the positional forms.
struct NormKind {
  NormKind(Layer (*)(const LayerNormOptions&, Site)) {}          // NOLINT: converts
  NormKind(Layer (*)(const RMSNormOptions&, Site)) : kind(1) {}  // NOLINT: converts
  constexpr NormKind(int kind) : kind(kind) {}                   // NOLINT: converts
  int kind = 0;
};

struct TransformerBlockOptions {
  bool pre_norm = true;             ///< x + f(norm(x)); false: norm(x + f(x))
  NormKind norm = LayerNorm;        ///< or RMSNorm
  FeedForward feed_forward = GELU;  ///< any activation, or SwiGLU
  Layer feed_forward_layer = {};    ///< in place of the feed-forward net: ExpertFeedForward, ..
  bool causal = false;              ///< of self-attention, as window, kv_heads, rope and the rest
  i64 window = 0;
  i64 kv_heads = 0;
  i64 head_dim = 0;
  bool rope = false;
  double rope_base = 10000, rope_scale = 1;
  /// In training: of the attention's weights, of what each part adds to x, and of the hidden units.
  double dropout = 0;
  bool cross_attention = false;  ///< after self-attention, to the second input
  bool bias = true;              ///< of all products
  double norm_epsilon = 0;       ///< 0: the norm's own default
  const char* name = "";
};
/// [time, width] -> [time, width]: self-attention of `heads` heads, then a feed-forward net of `ff`
/// hidden units at each position (Vaswani et al. 2017). Called with x or {x, mask}; with
/// cross_attention with {x, memory}, and a mask behind the sequence that it belongs to:
/// {x, mask, memory, memory_mask}. Defaults are those of GPT-2; arithmetic and first weights
/// PyTorch's TransformerEncoderLayer's and DecoderLayer's. Errors as MultiHeadAttention's.
Layer TransformerBlock(i64 heads, i64 ff, const TransformerBlockOptions& options = {},
                       Site site = Site::here());
/// For sequences of `length` positions, or ShapeError.
Layer TransformerBlock(i64 heads, i64 length, i64 ff, bool causal, Site site = Site::here());
Layer TransformerBlockExt(i64 heads, i64 length, i64 ff, bool causal, const FeedForward& activation,
                          const NormKind& norm, bool rope, Site site = Site::here());

}  // namespace goneuron
