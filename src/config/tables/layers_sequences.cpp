// Layers for sequences [time, features] and their tokens.
#include "config/tables.h"

namespace goneuron::config {
namespace {

constexpr Option table_init = init_option("weight_init", "first values of the table",
                                          "{random_normal: {mean: 0, stddev: 1}}");
constexpr Option embedding_options[] = {
    {"vocabulary", Type::integer, required, "128", "tokens there are: 0 to this less 1",
     at_least(1)},
    {"width", Type::integer, required, "64", "numbers a token becomes", at_least(1)},
    table_init};
constexpr Option position_options[] = {
    {"max_length", Type::integer, required, "128", "longest sequence", at_least(1)}, table_init};
constexpr Option attention_options[] = {
    {"units", Type::integer, "-1", "64", "width of the hidden layer; -1: as many as features",
     at_least(-1)},
    weight_init_option,
    bias_init_option,
    init_option("query_init", "first values of the learned query")};
constexpr Option distributed_options[] = {
    {"layer", Type::object, required, "{Dense: 10}", "the layer", {}, {}, layer_table}};

constexpr LayerRow sequence_rows[] = {
    {{"Embedding", "a learned row of numbers for each token", embedding_options},
     [](const Options& o) {
       return Embedding(o.integer("vocabulary"), o.integer("width"),
                        {.weight_init = make_initializer(o.value("weight_init"))}, o.site());
     }},
    {{"PositionEmbedding", "adds a learned row to each step", position_options},
     [](const Options& o) {
       return PositionEmbedding(o.integer("max_length"),
                                {.weight_init = make_initializer(o.value("weight_init"))},
                                o.site());
     }},
    {{"SinusoidalPositions", "adds sines and cosines of the position to each step"},
     [](const Options& o) { return SinusoidalPositions(o.site()); }},
    {{"GlobalAveragePooling1D", "the mean over the steps"},
     [](const Options& o) { return GlobalAveragePooling1D(o.site()); }},
    {{"CLSPooling", "the first step"}, [](const Options& o) { return CLSPooling(o.site()); }},
    {{"GlobalAttention", "a sum over the steps with learned weights", attention_options},
     [](const Options& o) {
       const i64 units = o.integer("units");
       return GlobalAttention({.units = units,
                               .weight_init = make_initializer(o.value("weight_init")),
                               .bias_init = make_initializer(o.value("bias_init")),
                               .query_init = make_initializer(o.value("query_init"))},
                              o.site());
     }},
    {{"TimeDistributed", "a layer on each step by itself", distributed_options},
     [](const Options& o) {
       return TimeDistributed(make_layer(o.value("layer"), o.context()), o.site());
     }},
};

}  // namespace

std::span<const LayerRow> sequence_layers() { return sequence_rows; }

}  // namespace goneuron::config
