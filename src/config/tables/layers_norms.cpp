// Normalisation.
#include "config/tables.h"

namespace goneuron::config {
namespace {

constexpr Option epsilon(const char* fallback) {
  return {
      "epsilon", Type::number, fallback, "0.001", "added to the variance, against dividing by 0",
      above(0)};
}
constexpr Option scale = {"scale", Type::boolean, "true", "false", "learns a factor a channel"};
constexpr Option shift = {"shift", Type::boolean, "true", "false", "learns an offset a channel"};
constexpr Option batch_norm_options[] = {
    {"momentum", Type::number, "0.1", "0.01", "share of a new batch in the running statistics",
     from_to(0, 1)},
    epsilon("1e-05"),
    scale,
    shift};
constexpr Option layer_norm_options[] = {epsilon("1e-05"), scale, shift};
constexpr Option rms_norm_options[] = {epsilon("1e-06"), scale};
constexpr Option group_norm_options[] = {
    {"groups", Type::integer, required, "8", "runs of neighbouring channels", at_least(1)},
    epsilon("1e-05"),
    scale,
    shift};

constexpr LayerRow norm_rows[] = {
    {{"BatchNorm", "mean 0 and variance 1 of each channel over the batch", batch_norm_options},
     [](const Options& o) {
       return BatchNorm({.momentum = o.number("momentum"),
                         .epsilon = o.number("epsilon"),
                         .scale = o.boolean("scale"),
                         .shift = o.boolean("shift")},
                        o.site());
     }},
    {{"LayerNorm", "mean 0 and variance 1 of each row of the last axis", layer_norm_options},
     [](const Options& o) {
       return LayerNorm({.epsilon = o.number("epsilon"),
                         .scale = o.boolean("scale"),
                         .shift = o.boolean("shift")},
                        o.site());
     }},
    {{"RMSNorm", "each row of the last axis divided by its root mean square", rms_norm_options},
     [](const Options& o) {
       return RMSNorm({.epsilon = o.number("epsilon"), .scale = o.boolean("scale")}, o.site());
     }},
    {{"GroupNorm", "mean 0 and variance 1 of each group of channels", group_norm_options},
     [](const Options& o) {
       return GroupNorm(o.integer("groups"),
                        {.epsilon = o.number("epsilon"),
                         .scale = o.boolean("scale"),
                         .shift = o.boolean("shift")},
                        o.site());
     }},
};

}  // namespace

std::span<const LayerRow> norm_layers() { return norm_rows; }

}  // namespace goneuron::config
