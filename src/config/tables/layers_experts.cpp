// Mixtures of experts.
#include "config/tables.h"

namespace goneuron::config {
namespace {

constexpr Option experts = {"experts", Type::integer,           required,
                            "8",       "layers to choose from", at_least(1)};
constexpr Option top_k = {"top_k", Type::integer,          required,
                          "2",     "experts a token uses", at_least(1)};
constexpr Option normalize = {"normalize", Type::boolean, "true", "false",
                              "the weights of a token's experts add up to 1"};
constexpr Option balance = {"balance",
                            Type::number,
                            "0.01",
                            "0.02",
                            "weight of the loss that spreads tokens over the experts",
                            at_least(0)};
constexpr Option z_loss = {"z_loss",
                           Type::number,
                           "0",
                           "0.001",
                           "weight of the loss that keeps the router's numbers small",
                           at_least(0)};
constexpr Option log_experts = {"log_experts", Type::boolean, "false", "true",
                                "logs each expert's share"};

constexpr Option moe_options[] = {{"out", Type::integer, required, "64", "outputs", at_least(1)},
                                  experts,
                                  top_k,
                                  activation_option("linear", "of every expert"),
                                  bias_option,
                                  normalize,
                                  balance,
                                  z_loss,
                                  log_experts,
                                  weight_init_option,
                                  bias_init_option};
constexpr Option feed_forward_options[] = {
    {"hidden", Type::integer, required, "256", "hidden units of each expert", at_least(1)},
    experts,
    top_k,
    {"activation",
     Type::object,
     "gelu",
     "swiglu",
     "of the hidden units",
     {},
     {},
     feed_forward_table},
    bias_option,
    normalize,
    balance,
    z_loss,
    log_experts,
    weight_init_option,
    bias_init_option};

constexpr LayerRow expert_rows[] = {
    {{"MoE", "each token goes through a few of several layers", moe_options},
     [](const Options& o) {
       return MoE(o.integer("out"), o.integer("experts"), o.integer("top_k"),
                  {.activation = make_activation(o.value("activation")),
                   .bias = o.boolean("bias"),
                   .normalize = o.boolean("normalize"),
                   .balance = o.number("balance"),
                   .z_loss = o.number("z_loss"),
                   .log_experts = o.boolean("log_experts"),
                   .weight_init = make_initializer(o.value("weight_init")),
                   .bias_init = make_initializer(o.value("bias_init"))},
                  o.site());
     }},
    {{"ExpertFeedForward", "each token goes through a few of several feed-forward nets",
      feed_forward_options},
     [](const Options& o) {
       return ExpertFeedForward(o.integer("hidden"), o.integer("experts"), o.integer("top_k"),
                                {.activation = make_feed_forward(o.value("activation")),
                                 .bias = o.boolean("bias"),
                                 .normalize = o.boolean("normalize"),
                                 .balance = o.number("balance"),
                                 .z_loss = o.number("z_loss"),
                                 .log_experts = o.boolean("log_experts"),
                                 .weight_init = make_initializer(o.value("weight_init")),
                                 .bias_init = make_initializer(o.value("bias_init"))},
                                o.site());
     }},
};

}  // namespace

std::span<const LayerRow> expert_layers() { return expert_rows; }

}  // namespace goneuron::config
