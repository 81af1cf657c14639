// Builds the layers of golden_layers_sequence.json. Used by golden_layer.h.
#pragma once

#include <optional>

#include "golden.h"
#include "goneuron/norms.h"
#include "goneuron/sequence.h"

namespace goneuron::golden {

inline std::optional<Layer> sequence_layer_of(const std::string& kind, const Json& o) {
  const auto number = [&](const char* name) { return o.at(name).get<i64>(); };
  if (kind == "LayerNorm")
    return LayerNorm({.epsilon = o.at("epsilon"), .scale = o.at("scale"), .shift = o.at("shift")});
  if (kind == "RMSNorm") return RMSNorm({.epsilon = o.at("epsilon"), .scale = o.at("scale")});
  if (kind == "GroupNorm")
    return GroupNorm(number("groups"),
                     {.epsilon = o.at("epsilon"), .scale = o.at("scale"), .shift = o.at("shift")});
  if (kind == "Embedding") return Embedding(number("vocabulary"), number("width"));
  if (kind == "PositionEmbedding") return PositionEmbedding(number("max_length"));
  if (kind == "SinusoidalPositions") return SinusoidalPositions();
  if (kind == "GlobalAveragePooling1D") return GlobalAveragePooling1D();
  if (kind == "CLSPooling") return CLSPooling();
  if (kind == "GlobalAttention") return GlobalAttention({.units = number("units")});
  return {};
}

}  // namespace goneuron::golden
