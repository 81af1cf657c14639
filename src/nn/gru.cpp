// GRU: r, z = x W_ih + h W_hh + b; n = tanh(x W_in + b_n + r (h W_hn + b_hn)); h = (1 - z) n + z h,
// over a whole sequence.
#include "nn/options.h"
#include "nn/recurrent.h"

namespace goneuron {

Layer GRU(i64 units, const RecurrentOptions& options, Site site) {
  return recurrent_layer({Recurrent::Cell::gru, Any, units, options}, site);
}

Layer GRU(i64 in, i64 units, Site site) {
  check_count(in, "inputs", "GRU", site);
  return recurrent_layer({Recurrent::Cell::gru, in, units, {}}, site);
}

}  // namespace goneuron
