// The table of layers, what all of them have, and how one is made.
#include "config/tables.h"

namespace goneuron::config {
namespace {

constexpr Option common[] = {
    {"name", Type::text, "", "hidden",
     "the layer's name in summaries and files, and for other layers' inputs"},
    {"inputs", Type::texts, "[]", "[first, second]",
     "names of the layers it reads, or input for the model's; default: the layer before it"},
    {"trainable", Type::boolean, "true", "false", "false: its weights stay as they are"},
    {"repeat", Type::integer, "1", "4", "that many layers of this kind, one after the other",
     from_to(1, 1000)},
};

std::vector<std::span<const LayerRow>> lists() {
  return {basic_layers(),     image_layers(),     norm_layers(),  sequence_layers(),
          recurrent_layers(), attention_layers(), expert_layers()};
}

}  // namespace

const Table& layer_table() {
  static const Table table = [] {
    Table all = {"layer", "layers", {}, common};
    for (const auto& rows : lists())
      for (const LayerRow& row : rows) all.kinds.push_back(&row.kind);
    return all;
  }();
  return table;
}

Layer make_layer(const Value& value, const Context& context) {
  const Options options = options_of(layer_table(), value, context);
  for (const auto& rows : lists())
    for (const LayerRow& row : rows) {
      if (&row.kind != &options.kind()) continue;
      Layer layer = row.make(options);
      if (options.given("name")) layer.named(options.text("name"));
      if (!options.boolean("trainable")) layer.set_trainable(false);
      return layer;
    }
  return {};  // not reached: options_of() has found it
}

}  // namespace goneuron::config
