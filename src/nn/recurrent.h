// Recurrent: what builds an LSTM or a GRU. A layer whose build function holds one is recurrent:
// SequenceUnroller asks for it.
#pragma once

#include "goneuron/recurrent.h"
#include "graph/layer_impl.h"

namespace goneuron {

struct Recurrent {
  enum class Cell : std::uint8_t { lstm, gru };
  Cell cell;
  i64 in, units;
  RecurrentOptions options;

  bool lstm() const { return cell == Cell::lstm; }
  i64 gates() const { return lstm() ? 4 : 3; }
  /// Tensors of a state: h, and c of an LSTM.
  int states() const { return lstm() ? 2 : 1; }
  i64 directions() const { return options.bidirectional == Bidirectional::no ? 1 : 2; }

  Symbol operator()(LayerContext& context) const;
};

/// Checks the options of an LSTM or a GRU and makes the layer.
Layer recurrent_layer(const Recurrent& recurrent, Site site);

}  // namespace goneuron
