// The tables of what a config can name, and what makes it. A new layer, loss, callback, ... is a
// row in one file of tables/. Used by root.cpp, build.cpp and the tables among themselves.
#pragma once

#include "config/options.h"
#include "goneuron/goneuron.h"

namespace goneuron::config {

const Table& activation_table();
const Table& feed_forward_table();
const Table& initializer_table();
const Table& layer_table();
const Table& loss_table();
const Table& metric_table();
const Table& optimizer_table();
const Table& schedule_table();
const Table& callback_table();

Activation make_activation(const Value& value);
FeedForward make_feed_forward(const Value& value);
Initializer make_initializer(const Value& value);
Size2 make_size(const Value& value);
Padding make_padding(const Value& value);
/// A number, or a schedule of the table.
Schedule make_rate(const Value& value, const Context& context);
/// One layer, with its name and whether it is trained.
Layer make_layer(const Value& value, const Context& context);
Loss make_loss(const Value& value, const Context& context);
Metric make_metric(const Value& value, const Context& context);
Optimizer make_optimizer(const Value& value, const Context& context);
Callback make_callback(const Value& value, const Context& context);

/// Rows of layers, one list a file.
using LayerRow = Row<Layer, const Options&>;
std::span<const LayerRow> basic_layers();
std::span<const LayerRow> image_layers();
std::span<const LayerRow> norm_layers();
std::span<const LayerRow> sequence_layers();
std::span<const LayerRow> recurrent_layers();
std::span<const LayerRow> attention_layers();
std::span<const LayerRow> expert_layers();

// Options that several kinds share.
constexpr Option activation_option(const char* fallback = "linear",
                                   const char* meaning = "function of the outputs") {
  return {"activation", Type::object, fallback, "relu", meaning, {}, {}, activation_table};
}
constexpr Option init_option(const char* key, const char* meaning,
                             const char* fallback = "torch_default") {
  return {key, Type::object, fallback, "he_normal", meaning, {}, {}, initializer_table};
}
inline constexpr Option bias_option = {"bias", Type::boolean, "true", "false",
                                       "adds a learned number to each output"};
inline constexpr Option from_logits_option = {"from_logits", Type::boolean, "false", "true",
                                              "the model ends without the activation, in logits"};
inline constexpr Option weight_init_option =
    init_option("weight_init", "first values of the weights");
inline constexpr Option bias_init_option = init_option("bias_init", "first values of the biases");

}  // namespace goneuron::config
