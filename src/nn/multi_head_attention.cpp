// MultiHeadAttention (Vaswani et al. 2017): self- and cross-attention with projections.
#include "goneuron/attention.h"
#include "nn/attention.h"

namespace goneuron {

Layer MultiHeadAttention(i64 heads, const AttentionOptions& options, Site site) {
  check_attention(heads, options, "MultiHeadAttention", site);
  const auto build = [=](LayerContext& context) {
    const AttentionInputs s = sequences_of(context, true);
    if (s.memory && s.mask)
      context.fail("a mask of the queries' sequence; expected one of the memory",
                   "masks hide keys: pass {x, memory, memory_mask}");
    return attend(context, "", heads, options, s.x, s.memory, s.memory ? s.memory_mask : s.mask);
  };
  return make_layer({.kind = "MultiHeadAttention",
                     .prefix = "multi_head_attention",
                     .name = options.name,
                     .site = site,
                     .max_inputs = 4,
                     .build = build});
}

}  // namespace goneuron
