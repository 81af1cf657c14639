// Layers for any data.
#include "config/tables.h"

namespace goneuron::config {
namespace {

constexpr Option dense_options[] = {
    {"units", Type::integer, required, "64", "numbers that come out", at_least(1)},
    activation_option(),
    bias_option,
    weight_init_option,
    bias_init_option};
constexpr Option reshape_options[] = {{"shape", Type::integers, required, "[28, 28, 1]",
                                       "the shape of a sample; -1 once: what remains",
                                       at_least(-1)}};
constexpr Option dropout_options[] = {{"rate", Type::number, required, "0.5",
                                       "share of the numbers that training sets to zero", share}};
constexpr Option activate_options[] = {
    {"activation", Type::object, required, "relu", "the function", {}, {}, activation_table}};
constexpr Option concat_options[] = {
    {"axis", Type::integer, "-1", "1", "counts the batch as 0; -1: the last one", from_to(-8, 7)}};

constexpr LayerRow basic_rows[] = {
    {{"Dense", "every input counts for every output: x W + b", dense_options},
     [](const Options& o) {
       return Dense(o.integer("units"),
                    {.activation = make_activation(o.value("activation")),
                     .bias = o.boolean("bias"),
                     .weight_init = make_initializer(o.value("weight_init")),
                     .bias_init = make_initializer(o.value("bias_init"))},
                    o.site());
     }},
    {{"Flatten", "a sample as one row of numbers"},
     [](const Options& o) { return Flatten(o.site()); }},
    {{"Reshape", "another shape of as many numbers", reshape_options},
     [](const Options& o) { return Reshape(Shape(o.integers("shape"), o.site()), o.site()); }},
    {{"Dropout", "in training sets some numbers to zero, against learning by heart",
      dropout_options},
     [](const Options& o) { return Dropout(o.number("rate"), o.site()); }},
    {{"Activate", "an activation as a layer", activate_options},
     [](const Options& o) { return Activate(make_activation(o.value("activation")), o.site()); }},
    {{"Add", "the sum of its inputs, which have one shape: give it inputs"},
     [](const Options& o) { return Add(o.site()); }},
    {{"Concat", "its inputs side by side: give it inputs", concat_options},
     [](const Options& o) {
       return Concat({.axis = static_cast<int>(o.integer("axis"))}, o.site());
     }},
};

}  // namespace

std::span<const LayerRow> basic_layers() { return basic_rows; }

}  // namespace goneuron::config
