// Builds the layers of golden_layers_conv.json; used by golden_layer.h.
#pragma once

#include "golden.h"
#include "goneuron/layers.h"

namespace goneuron::golden {

inline Padding padding_of(const Json& options) {
  const Json& padding = options.at("padding");
  return padding.is_string() ? Same : Padding(padding.get<i64>());
}

inline Size2 size_of(const Json& pair) { return {pair.at(0).get<i64>(), pair.at(1).get<i64>()}; }

/// Options that are not in the older cases.
inline Layer convolution_of(const std::string& kind, const Json& o, const Activation& activation) {
  const Size2 dilation = o.contains("dilation") ? size_of(o.at("dilation")) : Size2(1);
  if (kind == "DepthwiseConv2D")
    return DepthwiseConv2D(size_of(o.at("kernel")), {.stride = size_of(o.at("stride")),
                                                     .padding = padding_of(o),
                                                     .dilation = dilation,
                                                     .depth_multiplier = o.at("depth_multiplier"),
                                                     .activation = activation,
                                                     .bias = o.at("bias")});
  return Conv2D(o.at("filters").get<i64>(), size_of(o.at("kernel")),
                {.stride = size_of(o.at("stride")),
                 .padding = padding_of(o),
                 .dilation = dilation,
                 .groups = o.value("groups", i64{1}),
                 .activation = activation,
                 .bias = o.at("bias")});
}

}  // namespace goneuron::golden
