// Recurrent layers: LSTM and GRU over sequences [time, features], one fused step for the whole
// sequence. Used through goneuron.h.
#pragma once

#include "goneuron/layers.h"

namespace goneuron {

/// Whether a second set of weights reads the sequence from its end, and how the two join: side by
/// side ([.., 2 units]) or added ([.., units]).
enum class Bidirectional : std::uint8_t { no, concat, sum };

struct RecurrentOptions {
  bool return_sequences = false;  ///< every step's h; otherwise that of the last step read
  Bidirectional bidirectional = Bidirectional::no;
  bool reverse = false;      ///< reads from the last step to the first; outputs stay in place
  i64 layers = 1;            ///< stacked, at most 1000: each reads the sequence of the one before
  double dropout = 0;        ///< in [0, 1): between stacked layers, in training
  bool masked = false;       ///< the last input is a mask [batch, time], 1 for steps that count
  bool zero_masked = false;  ///< outputs 0 at masked steps; otherwise h repeated, as in Keras
  Initializer weight_init = TorchDefault;     ///< of weight_ih; default uniform +-1/sqrt(units)
  Initializer recurrent_init = TorchDefault;  ///< of weight_hh; default uniform +-1/sqrt(units)
  Initializer bias_init = TorchDefault;       ///< default uniform +-1/sqrt(units)
  const char* name = "";
};

/// [time, in] -> [units], or [time, units] with return_sequences. Hochreiter & Schmidhuber 1997,
/// Gers et al. 2000:
///   i, f, g, o = x W_ih + h W_hh + b (sigmoid, but g: tanh);  c = f c + i g;  h = o tanh(c)
/// Weights as in PyTorch, transposed: weight_ih_l0 [in, 4 units], weight_hh_l0 [units, 4 units] and
/// one bias_l0 [4 units] for the sum of PyTorch's two; _l1, .. of stacked layers, _reverse of those
/// that read backwards.
/// Called on {x}, {x, h, c} or, with `masked`, with the mask as one more input at the end. h and c
/// are [units]; [n, units] for n = layers x directions above 1, in PyTorch's order: l0, l0_reverse,
/// l1, .. A masked step leaves h and c as they are, so padding may stand at either end, and the
/// backward direction starts at the last step that counts.
/// Throws ShapeError when x is not [batch, time, features], or its features, a state or a mask have
/// another size; GraphError for options that make no sense and for another number of inputs.
Layer LSTM(i64 units, const RecurrentOptions& options = {}, Site site = Site::here());
Layer LSTM(i64 in, i64 units, Site site = Site::here());

/// As LSTM, with the cell of Cho et al. 2014 in PyTorch's form:
///   r, z = sigmoid(x W_ih + h W_hh + b);  n = tanh(x W_in + b_n + r (h W_hn + b_hn));
///   h = (1 - z) n + z h
/// weight_ih_l0 [in, 3 units], weight_hh_l0 [units, 3 units], bias_l0 [3 units], and bias_hn_l0
/// [units], which r multiplies. Called on {x} or {x, h}, then the mask.
Layer GRU(i64 units, const RecurrentOptions& options = {}, Site site = Site::here());
Layer GRU(i64 in, i64 units, Site site = Site::here());

/// `layer`, an LSTM or a GRU, over sequences of exactly `length` steps, from which it returns every
/// step's output or the last one's, whatever its own options say. Shares the layer's weights.
/// Throws ShapeError when the data has another number of steps.
Layer SequenceUnroller(const Layer& layer, i64 length, bool return_sequences = false,
                       Site site = Site::here());

/// A recurrent layer's output with the state after its last step: shapes as the initial state's.
struct RecurrentOutput {
  Symbol output, h, c;  ///< c is empty for a GRU
};
/// Calls `layer`, an LSTM or a GRU, and returns its final state too, e.g. for a decoder:
///   auto [y, h, c] = with_state(LSTM(64), source);
///   auto z = LSTM(64, {.return_sequences = true})({target, h, c});
RecurrentOutput with_state(const Layer& layer, const Symbol& x, Site site = Site::here());
RecurrentOutput with_state(const Layer& layer, const std::vector<Symbol>& inputs,
                           Site site = Site::here());

}  // namespace goneuron
