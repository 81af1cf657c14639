// Programs that make a mistake with attention and transformer blocks.
#pragma once

#include "errors.h"

namespace goneuron::errors {

ERROR_CASE(attention_heads_do_not_divide_the_width) {
  Symbol x = Input({10, 64});
  MultiHeadAttention(7)(x);
}

ERROR_CASE(attention_without_heads) { MultiHeadAttention(0); }

ERROR_CASE(attention_key_heads_do_not_divide_the_heads) { MultiHeadAttention(8, {.kv_heads = 3}); }

ERROR_CASE(attention_key_heads_below_zero) { MultiHeadAttention(8, {.kv_heads = -1}); }

ERROR_CASE(attention_window_below_one) { MultiHeadAttention(8, {.window = -4}); }

ERROR_CASE(attention_head_width_below_one) { MultiHeadAttention(8, {.head_dim = -8}); }

ERROR_CASE(attention_dropout_of_everything) { MultiHeadAttention(8, {.dropout = 1}); }

ERROR_CASE(attention_scale_not_finite) { MultiHeadAttention(8, {.scale = 1.0 / 0.0}); }

ERROR_CASE(rotary_positions_of_an_odd_width) {
  Symbol x = Input({10, 21});
  x | MultiHeadAttention(3, {.rope = true});
}

ERROR_CASE(rotary_base) { MultiHeadAttention(8, {.rope = true, .rope_base = 0}); }

ERROR_CASE(rotary_scale) { MultiHeadAttention(8, {.rope = true, .rope_scale = -1}); }

ERROR_CASE(rotary_positions_of_two_sequences) {
  Symbol x = Input({10, 16});
  Symbol memory = Input({12, 16});
  MultiHeadAttention(2, {.rope = true})({x, memory});
}

ERROR_CASE(attention_mask_of_another_length) {
  Symbol x = Input({10, 16});
  Symbol mask = Input({12});
  MultiHeadAttention(2)({x, mask});
}

ERROR_CASE(attention_two_masks_for_one_sequence) {
  Symbol x = Input({10, 16});
  Symbol mask = Input({10});
  MultiHeadAttention(2)({x, mask, mask});
}

ERROR_CASE(attention_mask_of_the_queries) {
  Symbol x = Input({10, 16});
  Symbol mask = Input({10});
  Symbol memory = Input({12, 16});
  MultiHeadAttention(2)({x, mask, memory});
}

ERROR_CASE(attention_of_flat_samples) {
  Symbol x = Input({16});
  MultiHeadAttention(2)(x);
}

ERROR_CASE(attention_of_three_sequences) {
  Symbol x = Input({10, 16});
  MultiHeadAttention(2)({x, x, x});
}

ERROR_CASE(causal_attention_of_two_lengths) {
  Symbol x = Input({10, 16});
  Symbol memory = Input({12, 16});
  MultiHeadAttention(2, {.causal = true})({x, memory});
}

ERROR_CASE(transformer_block_of_another_length) {
  Symbol x = Input({100, 64});
  x | TransformerBlock(8, 128, 256, true);
}

ERROR_CASE(transformer_block_without_length) { TransformerBlock(8, 0, 256, true); }

ERROR_CASE(transformer_block_hidden_units) { TransformerBlock(8, 0); }

ERROR_CASE(transformer_block_activation_number) {
  TransformerBlockExt(8, 128, 256, true, 7, LayerNorm, false);
}

ERROR_CASE(transformer_block_norm_number) {
  TransformerBlockExt(8, 128, 256, true, GELU, 2, false);
}

ERROR_CASE(transformer_block_norm_epsilon) { TransformerBlock(8, 256, {.norm_epsilon = -1}); }

ERROR_CASE(transformer_block_heads_do_not_divide_the_width) {
  auto model = Sequential({Dense(60), TransformerBlock(8, 256)});
  model.build({10, 32});
}

ERROR_CASE(transformer_block_without_its_memory) {
  Symbol x = Input({10, 16});
  x | TransformerBlock(2, 32, {.cross_attention = true});
}

ERROR_CASE(transformer_block_with_a_memory_too_many) {
  Symbol x = Input({10, 16});
  Symbol memory = Input({12, 16});
  TransformerBlock(2, 32)({x, memory});
}

ERROR_CASE(transformer_block_feed_forward_layer_of_another_width) {
  Symbol x = Input({10, 16});
  x | TransformerBlock(2, 32, {.feed_forward_layer = Dense(8)});
}

}  // namespace goneuron::errors
