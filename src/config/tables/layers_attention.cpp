// Attention and transformer blocks.
#include "config/tables.h"

namespace goneuron::config {
namespace {

constexpr const char* norms[] = {"LayerNorm", "RMSNorm"};
constexpr Option heads = {
    "heads", Type::integer, required, "4", "parts that look for themselves", at_least(1)};
constexpr Option kv_heads = {"kv_heads",
                             Type::integer,
                             "0",
                             "2",
                             "key and value heads, shared by groups of heads; 0: as many as heads",
                             at_least(0)};
constexpr Option head_dim = {
    "head_dim", Type::integer, "0", "32", "features of a head; 0: width / heads", at_least(0)};
constexpr Option causal = {"causal", Type::boolean, "false", "true",
                           "a step sees itself and those before it"};
constexpr Option window = {
    "window", Type::integer, "0", "64", "sees steps less than this far away; 0: all", at_least(0)};
constexpr Option rope = {"rope", Type::boolean, "false", "true", "rotary positions"};
constexpr Option rope_base = {
    "rope_base", Type::number, "10000", "500000", "base of the rotation's wavelengths", above(0)};
constexpr Option rope_scale = {"rope_scale", Type::number,           "1",
                               "0.5",        "multiplies positions", above(0)};

constexpr Option attention_options[] = {
    heads,
    kv_heads,
    head_dim,
    causal,
    window,
    rope,
    rope_base,
    rope_scale,
    {"dropout", Type::number, "0", "0.1", "share of the weights that training sets to zero", share},
    {"scale", Type::number, "0", "0.125", "of the scores; 0: 1 / sqrt(head_dim)", at_least(0)},
    bias_option,
    init_option("in_init", "first values of the inputs' projections", "glorot_uniform"),
    init_option("out_init", "first values of the last projection")};
constexpr Option block_options[] = {
    heads,
    {"ff", Type::integer, required, "256", "hidden units of the feed-forward net", at_least(1)},
    {"pre_norm", Type::boolean, "true", "false", "x + f(norm(x)); false: norm(x + f(x))"},
    {"norm", Type::choice, "LayerNorm", "RMSNorm", "the norm of both parts", {}, norms},
    {"feed_forward",
     Type::object,
     "gelu",
     "swiglu",
     "of the hidden units",
     {},
     {},
     feed_forward_table},
    {"feed_forward_layer",
     Type::object,
     "none",
     "{ExpertFeedForward: {hidden: 256, experts: 8, top_k: 2}}",
     "a layer in place of the feed-forward net",
     {},
     {},
     layer_table},
    causal,
    window,
    kv_heads,
    head_dim,
    rope,
    rope_base,
    rope_scale,
    {"dropout", Type::number, "0", "0.1",
     "in training: of attention, of hidden units and of what each part adds", share},
    bias_option,
    {"norm_epsilon", Type::number, "0", "0.001", "0: the norm's own default", at_least(0)}};

constexpr LayerRow attention_rows[] = {
    {{"MultiHeadAttention", "every step looks at the others", attention_options},
     [](const Options& o) {
       return MultiHeadAttention(o.integer("heads"),
                                 {.kv_heads = o.integer("kv_heads"),
                                  .head_dim = o.integer("head_dim"),
                                  .causal = o.boolean("causal"),
                                  .window = o.integer("window"),
                                  .rope = o.boolean("rope"),
                                  .rope_base = o.number("rope_base"),
                                  .rope_scale = o.number("rope_scale"),
                                  .dropout = o.number("dropout"),
                                  .scale = o.number("scale"),
                                  .bias = o.boolean("bias"),
                                  .in_init = make_initializer(o.value("in_init")),
                                  .out_init = make_initializer(o.value("out_init"))},
                                 o.site());
     }},
    {{"TransformerBlock", "attention and a feed-forward net with norms and residual sums",
      block_options},
     [](const Options& o) {
       return TransformerBlock(
           o.integer("heads"), o.integer("ff"),
           {.pre_norm = o.boolean("pre_norm"),
            .norm = o.choice("norm"),
            .feed_forward = make_feed_forward(o.value("feed_forward")),
            .feed_forward_layer = o.none("feed_forward_layer")
                                      ? Layer()
                                      : make_layer(o.value("feed_forward_layer"), o.context()),
            .causal = o.boolean("causal"),
            .window = o.integer("window"),
            .kv_heads = o.integer("kv_heads"),
            .head_dim = o.integer("head_dim"),
            .rope = o.boolean("rope"),
            .rope_base = o.number("rope_base"),
            .rope_scale = o.number("rope_scale"),
            .dropout = o.number("dropout"),
            .bias = o.boolean("bias"),
            .norm_epsilon = o.number("norm_epsilon")},
           o.site());
     }},
};

}  // namespace

std::span<const LayerRow> attention_layers() { return attention_rows; }

}  // namespace goneuron::config
