// Programs that make a mistake with norms, embeddings, positions, pooling over time, and with
// functions on symbols.
#pragma once

#include <cmath>

#include "errors.h"

namespace goneuron::errors {

ERROR_CASE(layer_norm_epsilon) { LayerNorm({.epsilon = 0}); }

ERROR_CASE(rms_norm_epsilon) { RMSNorm({.epsilon = -1e-6}); }

ERROR_CASE(layer_norm_of_a_single_number) {
  Symbol x = Input({});
  LayerNorm()(x);
}

ERROR_CASE(layer_norm_of_an_unknown_width) {
  Symbol x = Input({8, Any});
  LayerNorm()(x);
}

ERROR_CASE(layer_norm_of_another_width) {
  Layer norm = LayerNorm();
  norm(Input({8, 16}));
  norm(Input({8, 32}));
}

ERROR_CASE(group_norm_groups_that_do_not_divide) {
  Symbol image = Input({8, 8, 48});
  GroupNorm(32)(image);
}

ERROR_CASE(group_norm_without_groups) { GroupNorm(0); }

ERROR_CASE(embedding_of_no_vocabulary) { Embedding(0, 16); }

ERROR_CASE(embedding_of_no_width) { Embedding(1000, 0); }

ERROR_CASE(embedding_of_floats) {
  Symbol x = Input({12});
  Embedding(1000, 16)(x);
}

ERROR_CASE(recurrent_after_a_last_output) {
  auto model = Sequential({LSTM(4), GRU(4), Dense(1)});
  model.build({5, 2});
}

ERROR_CASE(pooling_after_a_last_output) {
  auto model = Sequential({GRU(4), GlobalAveragePooling1D(), Dense(1)});
  model.build({5, 2});
}

ERROR_CASE(mask_of_another_length_than_its_sequence) {
  const Symbol steps = Input({Any, 2}), mask = Input({Any});
  Model model({steps, mask}, GlobalAveragePooling1D()({steps, mask}) | Dense(1));
  model.predict({Tensor(Shape{3, 5, 2}), Tensor(Shape{3, 6})});
}

ERROR_CASE(recurrent_mask_of_another_length) {
  const Symbol steps = Input({Any, 2}), mask = Input({Any});
  Model model({steps, mask}, LSTM(4, {.masked = true})({steps, mask}) | Dense(1));
  model.predict({Tensor(Shape{3, 5, 2}), Tensor(Shape{3, 6})});
}

ERROR_CASE(token_outside_the_vocabulary) {
  auto model = Sequential({Embedding(10, 4), Flatten(), Dense(2, Softmax)});
  model.compile(SGD(0.1), CrossEntropy);
  Tensor x(Shape{6, 3}, DType::i32);
  x.set({4, 1}, 10);
  model.fit(x, Tensor(Shape{6}, DType::i32), {.batch_size = 2});
}

ERROR_CASE(negative_token_in_a_prediction) {
  auto model = Sequential({Embedding(10, 4), Flatten(), Dense(2)});
  model.build({3});
  Tensor x(Shape{6, 3}, DType::i32);
  x.set({5, 2}, -1);
  model.predict(x);
}

ERROR_CASE(position_embedding_of_no_length) { PositionEmbedding(0); }

ERROR_CASE(sequence_longer_than_the_positions) {
  Symbol x = Input({128, 16});
  PositionEmbedding(64)(x);
}

ERROR_CASE(positions_of_tokens) {
  Symbol tokens = Input({12}, DType::i32);
  SinusoidalPositions()(tokens);
}

ERROR_CASE(pooling_of_flat_samples) {
  Symbol x = Input({12});
  GlobalAveragePooling1D()(x);
}

ERROR_CASE(pooling_of_images) {
  Symbol image = Input({28, 28, 1});
  CLSPooling()(image);
}

ERROR_CASE(mask_of_another_length) {
  Symbol x = Input({12, 16});
  Symbol mask = Input({10});
  GlobalAveragePooling1D()({x, mask});
}

ERROR_CASE(mask_of_integers) {
  Symbol x = Input({12, 16});
  Symbol mask = Input({12}, DType::i32);
  GlobalAttention()({x, mask});
}

ERROR_CASE(attention_of_no_units) { GlobalAttention({.units = 0}); }

ERROR_CASE(time_distributed_of_single_numbers) {
  Symbol x = Input({12});
  TimeDistributed(Dense(4))(x);
}

ERROR_CASE(time_distributed_of_an_empty_layer) {
  Layer layer;
  TimeDistributed(layer);
}

ERROR_CASE(transpose_moves_the_batch) {
  Symbol x = Input({3, 4});
  transpose(x, {2, 1, 0});
}

ERROR_CASE(transpose_without_an_axis) {
  Symbol x = Input({3, 4});
  transpose(x, {0, 1, 1});
}

ERROR_CASE(reshape_of_another_size) {
  Symbol x = Input({3, 4});
  reshape(x, {5, 2});
}

ERROR_CASE(reshape_of_an_unknown_length) {
  Symbol x = Input({Any, 4});
  reshape(x, {2, 2});
}

ERROR_CASE(expand_dims_beyond_the_rank) {
  Symbol x = Input({3});
  expand_dims(x, 4);
}

ERROR_CASE(squeeze_of_a_length) {
  Symbol x = Input({3, 4});
  squeeze(x, 1);
}

ERROR_CASE(concat_function_of_two_shapes) {
  Symbol a = Input({3, 4});
  Symbol b = Input({2, 5});
  concat({a, b}, 1);
}

ERROR_CASE(concat_function_of_nothing) { concat({}); }

ERROR_CASE(stack_of_two_shapes) {
  Symbol a = Input({3});
  Symbol b = Input({4});
  stack({a, b});
}

ERROR_CASE(slice_of_too_many_axes) {
  Symbol x = Input({8, 8});
  slice(x, {{0, 4}, {0, 4}, {0, 1}});
}

ERROR_CASE(slice_of_a_range_out_of_bounds) {
  Symbol x = Input({8, 8});
  slice(x, {{0, 4}, {6, 10}});
}

ERROR_CASE(repeat_of_the_batch) {
  Symbol x = Input({8});
  repeat(x, 2, 0);
}

ERROR_CASE(repeat_no_times) {
  Symbol x = Input({8});
  repeat(x, 0, 1);
}

ERROR_CASE(broadcast_of_another_length) {
  Symbol x = Input({3});
  broadcast_to(x, {4});
}

ERROR_CASE(batched_product_of_two_widths) {
  Symbol a = Input({3, 4});
  Symbol b = Input({5, 6});
  matmul(a, b);
}

ERROR_CASE(gather_by_floats) {
  Symbol x = Input({3, 4});
  Symbol at = Input({2});
  gather(x, at);
}

ERROR_CASE(gather_from_a_constant_by_sample) {
  Symbol at = Input({2}, DType::i32);
  Tensor table(Shape{5, 4});
  gather(constant(table), at, 1);
}

ERROR_CASE(gather_out_of_range) {
  Symbol x = Input({3}, DType::i32);
  Tensor table(Shape{5, 4});
  Model model(x, gather(constant(table), x, 0));
  Tensor data(Shape{2, 3}, DType::i32);
  data.set({1, 0}, 5);
  model.predict(data);
}

ERROR_CASE(softmax_over_the_batch) {
  Symbol x = Input({3});
  softmax(x, 0);
}

ERROR_CASE(max_over_an_axis_that_is_not_there) {
  Symbol x = Input({3});
  max(x, {2});
}

ERROR_CASE(where_does_not_broadcast) {
  Symbol x = Input({3});
  Symbol mask = Input({4});
  where(mask, x, 0);
}

ERROR_CASE(clip_bounds) {
  Symbol x = Input({3});
  clip(x, 1, -1);
}

ERROR_CASE(power_of_a_nan) {
  Symbol x = Input({3});
  pow(x, std::nan(""));
}

}  // namespace goneuron::errors
