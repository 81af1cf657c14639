// LSTM: i, f, g, o = x W_ih + h W_hh + b; c = f c + i g; h = o tanh(c), over a whole sequence.
#include "nn/options.h"
#include "nn/recurrent.h"

namespace goneuron {

Layer LSTM(i64 units, const RecurrentOptions& options, Site site) {
  return recurrent_layer({Recurrent::Cell::lstm, Any, units, options}, site);
}

Layer LSTM(i64 in, i64 units, Site site) {
  check_count(in, "inputs", "LSTM", site);
  return recurrent_layer({Recurrent::Cell::lstm, in, units, {}}, site);
}

}  // namespace goneuron
