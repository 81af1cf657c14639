// Mixtures of experts put together wrongly. Included by errors_test.
#pragma once

#include "errors_training.h"

namespace goneuron::errors {

ERROR_CASE(moe_top_k_above_the_experts) { MoE(16, 4, 5); }

ERROR_CASE(moe_top_k_of_zero) { MoE(16, 4, 0); }

ERROR_CASE(moe_without_experts) { MoE(16, 0, 1); }

ERROR_CASE(moe_without_units) { MoE(0, 4, 2); }

ERROR_CASE(moe_balance_below_zero) { MoE(16, 4, 2, {.balance = -0.01}); }

ERROR_CASE(moe_z_loss_not_a_number) { MoE(16, 4, 2, {.z_loss = std::nan("")}); }

ERROR_CASE(moe_of_single_numbers) {
  Symbol x = Input({});
  x | MoE(16, 4, 2);
}

ERROR_CASE(moe_of_an_unknown_width) {
  Symbol x = Input({Any});
  x | MoE(16, 4, 2);
}

ERROR_CASE(moe_reused_with_another_width) {
  auto experts = MoE(16, 4, 2);
  Symbol a = Input({8});
  Symbol b = Input({12});
  a | experts;
  b | experts;
}

ERROR_CASE(expert_feed_forward_top_k_above_the_experts) { ExpertFeedForward(64, 2, 3); }

ERROR_CASE(expert_feed_forward_without_hidden_units) { ExpertFeedForward(-1, 4, 2); }

ERROR_CASE(expert_feed_forward_z_loss_below_zero) { ExpertFeedForward(64, 4, 2, {.z_loss = -1}); }

ERROR_CASE(expert_feed_forward_of_an_unknown_kind) {
  ExpertFeedForward(64, 4, 2, {.activation = 3});
}

ERROR_CASE(expert_weights_of_a_dense_layer) {
  auto dense = Dense(4);
  Symbol y = Input({8}) | dense;
  expert_weights(dense);
}

ERROR_CASE(expert_weights_before_the_first_call) {
  auto experts = MoE(16, 4, 2);
  expert_weights(experts);
}

ERROR_CASE(moe_named_as_a_metric_of_another_layer) {
  auto model = Sequential({MoE(8, 4, 2), Layer("mine", [](Symbol x) {
                             add_metric("moe/balance", mean(x));
                             return x;
                           })});
  model.compile(Adam(0.001), MSE);
  model.train_on_batch(samples(4), Tensor(Shape{4, 8}));
}

}  // namespace goneuron::errors
