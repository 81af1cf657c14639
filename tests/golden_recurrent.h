// The recurrent layers of golden_layers_recurrent.json. Used by golden_layer.h.
#pragma once

#include "golden.h"
#include "goneuron/recurrent.h"

namespace goneuron::golden {

inline Layer recurrent_layer_of(const std::string& kind, const Json& o) {
  const std::string both = o.at("bidirectional");
  const RecurrentOptions options{.return_sequences = o.at("return_sequences"),
                                 .bidirectional = both == "concat" ? Bidirectional::concat
                                                  : both == "sum"  ? Bidirectional::sum
                                                                   : Bidirectional::no,
                                 .reverse = o.at("reverse"),
                                 .layers = o.at("layers"),
                                 .masked = o.at("masked"),
                                 .zero_masked = o.at("zero_masked")};
  const i64 units = o.at("units");
  return kind == "LSTM" ? LSTM(units, options) : GRU(units, options);
}

}  // namespace goneuron::golden
