// TransformerBlock (Vaswani et al. 2017): attention and a feed-forward net, each with a norm and a
// residual sum; norms before (Xiong et al. 2020) or after.
#include <cmath>

#include "core/message.h"
#include "goneuron/transformer.h"
#include "nn/attention.h"
#include "nn/options.h"

namespace goneuron {

namespace {
struct Block {
  i64 heads, ff, length;  // length Any: whatever comes
  TransformerBlockOptions o;
  AttentionOptions attention;

  Symbol norm(LayerContext& c, const std::string& name, const Symbol& x) const {
    const i64 width = x.shape()[-1];
    const auto variable = [&](const char* what, const Initializer& init) {
      return c.parameter((name + what).c_str(), {width}, init, width, width);
    };
    const double epsilon = o.norm_epsilon > 0 ? o.norm_epsilon
                           : o.norm.kind == 0 ? LayerNormOptions{}.epsilon
                                              : RMSNormOptions{}.epsilon;
    const Symbol weight = variable("_weight", Ones);
    if (o.norm.kind == 1) return make("rms_norm", {x, weight}, {{"epsilon", epsilon}});
    return make("layer_norm", {x, weight, variable("_bias", Zeros)}, {{"epsilon", epsilon}});
  }

  Symbol feed_forward(LayerContext& c, const Symbol& x) const {
    if (o.feed_forward_layer.impl()) {
      const Symbol y = o.feed_forward_layer(x, current_call()->site);
      if (!(y.shape() == x.shape()))
        c.fail_shape("its feed_forward_layer makes " + y.shape().str() + " of " + x.shape().str() +
                         "; expected the same shape",
                     "what it makes is added to its input: give it as many units as the input has");
      return y;
    }
    const i64 width = x.shape()[-1], units = o.feed_forward.gated ? 2 * ff : ff;
    Symbol y = project(c, {"up", units, TorchDefault, TorchDefault, units, o.bias}, x);
    y = o.feed_forward.gated ? make("swiglu", {y}) : o.feed_forward.activation(y, {});
    return project(c, {"down", width, TorchDefault, TorchDefault, width, o.bias},
                   drop(y, o.dropout));
  }

  /// x + f(norm(x)), or norm(x + f(x)).
  template <class F>
  Symbol residual(LayerContext& c, const std::string& name, const Symbol& x, const F& f) const {
    const Symbol y = drop(f(o.pre_norm ? norm(c, name, x) : x), o.dropout);
    const Symbol sum = make("add", {x, y});
    return o.pre_norm ? sum : norm(c, name, sum);
  }

  Symbol build(LayerContext& c) const {
    const AttentionInputs s = sequences_of(c, o.cross_attention);
    if (o.cross_attention && !s.memory)
      c.fail("one sequence; expected a memory for cross_attention",
             "call it with {x, memory}: the memory is the encoder's output");
    const i64 steps = s.x.shape()[1];
    if (length != Any && steps != Any && steps != length)
      c.fail_shape(
          "a sequence of " + std::to_string(steps) + " steps; expected " + std::to_string(length) +
              ", which this layer was made for",
          "pass the length that arrives, or leave it out: TransformerBlock(heads, ff, {..})");
    Symbol x = residual(c, "norm1", s.x, [&](const Symbol& h) {
      return attend(c, "attention_", heads, attention, h, {}, s.mask);
    });
    AttentionOptions cross = attention;
    cross.causal = cross.rope = false;
    cross.window = 0;
    if (o.cross_attention)
      x = residual(c, "norm_cross", x, [&](const Symbol& h) {
        return attend(c, "cross_", heads, cross, h, s.memory, s.memory_mask);
      });
    return residual(c, "norm2", x, [&](const Symbol& h) { return feed_forward(c, h); });
  }
};

Layer block(i64 heads, i64 ff, i64 length, const TransformerBlockOptions& o, const char* kind,
            Site site) {
  const AttentionOptions attention{.kv_heads = o.kv_heads,
                                   .head_dim = o.head_dim,
                                   .causal = o.causal,
                                   .window = o.window,
                                   .rope = o.rope,
                                   .rope_base = o.rope_base,
                                   .rope_scale = o.rope_scale,
                                   .dropout = o.dropout,
                                   .bias = o.bias};
  check_attention(heads, attention, kind, site);
  check_count(ff, "hidden units (ff)", kind, site);
  require(o.norm.kind == 0 || o.norm.kind == 1, kind, site,
          "a norm of " + std::to_string(o.norm.kind) + "; expected LayerNorm or RMSNorm, 0 or 1",
          "pass the name: .norm = RMSNorm");
  require(o.feed_forward.kind >= 0 && o.feed_forward.kind <= 2, kind, site,
          "an activation of " + std::to_string(o.feed_forward.kind) +
              "; expected ReLU, GELU or SwiGLU, 0 to 2, or another activation by its name",
          "pass the name: .feed_forward = GELU");
  require(o.norm_epsilon >= 0 && std::isfinite(o.norm_epsilon), kind, site,
          "a norm_epsilon of " + number_text(o.norm_epsilon) + "; expected above 0, or 0",
          "0 takes the norm's own: 1e-5, or 1e-6 for RMSNorm");
  const Block made{heads, ff, length, o, attention};
  return make_layer({.kind = kind,
                     .prefix = "transformer_block",
                     .name = o.name,
                     .site = site,
                     .max_inputs = 4,
                     .build = [=](LayerContext& context) { return made.build(context); }});
}
}  // namespace

Layer TransformerBlock(i64 heads, i64 ff, const TransformerBlockOptions& options, Site site) {
  return block(heads, ff, Any, options, "TransformerBlock", site);
}

Layer TransformerBlock(i64 heads, i64 length, i64 ff, bool causal, Site site) {
  check_count(length, "positions (length)", "TransformerBlock", site);
  return block(heads, ff, length, {.causal = causal}, "TransformerBlock", site);
}

Layer TransformerBlockExt(i64 heads, i64 length, i64 ff, bool causal, const FeedForward& activation,
                          const NormKind& norm, bool rope, Site site) {
  check_count(length, "positions (length)", "TransformerBlockExt", site);
  return block(heads, ff, length,
               {.norm = norm, .feed_forward = activation, .causal = causal, .rope = rope},
               "TransformerBlockExt", site);
}

}  // namespace goneuron
