// Recurrent layers.
#include "config/tables.h"

namespace goneuron::config {
namespace {

constexpr const char* directions[] = {"no", "concat", "sum"};
constexpr Option options[] = {
    {"units", Type::integer, required, "64", "numbers of its state", at_least(1)},
    {"return_sequences", Type::boolean, "false", "true", "every step's output, not the last one's"},
    {"bidirectional",
     Type::choice,
     "no",
     "concat",
     "a second set of weights reads from the end, and the two are joined",
     {},
     directions},
    {"reverse", Type::boolean, "false", "true", "reads from the last step to the first"},
    {"layers", Type::integer, "1", "2", "stacked, each reads the one before", at_least(1)},
    {"dropout", Type::number, "0", "0.2", "between stacked layers, in training", share},
    init_option("weight_init", "first values of the inputs' weights"),
    init_option("recurrent_init", "first values of the state's weights"),
    bias_init_option};

RecurrentOptions recurrent(const Options& o) {
  return {.return_sequences = o.boolean("return_sequences"),
          .bidirectional = static_cast<Bidirectional>(o.choice("bidirectional")),
          .reverse = o.boolean("reverse"),
          .layers = o.integer("layers"),
          .dropout = o.number("dropout"),
          .weight_init = make_initializer(o.value("weight_init")),
          .recurrent_init = make_initializer(o.value("recurrent_init")),
          .bias_init = make_initializer(o.value("bias_init"))};
}

constexpr LayerRow recurrent_rows[] = {
    {{"LSTM", "long short-term memory over the steps", options},
     [](const Options& o) { return LSTM(o.integer("units"), recurrent(o), o.site()); }},
    {{"GRU", "gated recurrent unit over the steps", options},
     [](const Options& o) { return GRU(o.integer("units"), recurrent(o), o.site()); }},
};

}  // namespace

std::span<const LayerRow> recurrent_layers() { return recurrent_rows; }

}  // namespace goneuron::config
