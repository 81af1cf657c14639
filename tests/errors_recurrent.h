// Programs that make a mistake with recurrent layers.
#pragma once

#include "errors.h"

namespace goneuron::errors {

ERROR_CASE(lstm_without_units) { LSTM(0); }

ERROR_CASE(gru_without_inputs) { GRU(0, 16); }

ERROR_CASE(recurrent_layers_below_1) { LSTM(16, {.layers = 0}); }

ERROR_CASE(recurrent_dropout_above_1) { GRU(16, {.layers = 2, .dropout = 1.5}); }

ERROR_CASE(recurrent_dropout_without_a_stack) { LSTM(16, {.dropout = 0.2}); }

ERROR_CASE(recurrent_reverse_and_bidirectional) {
  LSTM(16, {.bidirectional = Bidirectional::concat, .reverse = true});
}

ERROR_CASE(recurrent_zero_masked_without_a_mask) { GRU(16, {.zero_masked = true}); }

ERROR_CASE(lstm_on_vectors) {
  Symbol x = Input({28});
  LSTM(16)(x);
}

ERROR_CASE(lstm_made_for_other_features) {
  Symbol x = Input({10, 5});
  LSTM(28, 16)(x);
}

ERROR_CASE(gru_reused_with_other_features) {
  Layer gru = GRU(16);
  Symbol a = Input({10, 5}), b = Input({10, 6});
  gru(a);
  gru(b);
}

ERROR_CASE(lstm_with_one_state) {
  Symbol x = Input({10, 5}), h = Input({16});
  LSTM(16)({x, h});
}

ERROR_CASE(gru_mask_without_the_option) {
  Symbol x = Input({10, 5}), h = Input({16}), mask = Input({10});
  GRU(16)({x, h, mask});
}

ERROR_CASE(gru_without_its_mask) {
  Symbol x = Input({10, 5});
  GRU(16, {.masked = true})(x);
}

ERROR_CASE(lstm_initial_state_of_another_size) {
  Symbol x = Input({10, 5}), h = Input({8}), c = Input({16});
  LSTM(16)({x, h, c});
}

ERROR_CASE(gru_initial_state_of_a_stack) {
  Symbol x = Input({10, 5}), h = Input({16});
  GRU(16, {.layers = 2})({x, h});
}

ERROR_CASE(lstm_mask_of_another_length) {
  Symbol x = Input({10, 5}), mask = Input({9});
  LSTM(16, {.masked = true})({x, mask});
}

ERROR_CASE(sequence_unroller_of_another_length) {
  Symbol x = Input({10, 5});
  SequenceUnroller(LSTM(5, 16), 28)(x);
}

ERROR_CASE(sequence_unroller_without_steps) { SequenceUnroller(LSTM(5, 16), 0); }

ERROR_CASE(sequence_unroller_of_a_dense) { SequenceUnroller(Dense(16), 28); }

ERROR_CASE(state_of_a_dense) {
  Symbol x = Input({10, 5});
  with_state(Dense(16), x);
}

}  // namespace goneuron::errors
