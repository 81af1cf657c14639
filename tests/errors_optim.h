// Programs that make a mistake in schedules, clipping, parameter groups, accumulation and averages.
#pragma once

#include <limits>

#include "errors_training.h"

namespace goneuron::errors {

inline Model trained_with(const Optimizer& optimizer, const CompileOptions& options = {}) {
  auto model = Sequential({Dense(8, ReLU), Dense(1)});
  model.build({4});
  model.compile(optimizer, MSE, {}, options);
  return model;
}

ERROR_CASE(step_decay_of_no_steps) { StepDecay(0.1, 0); }

ERROR_CASE(step_decay_that_grows) { StepDecay(0.1, 10, 1.5); }

ERROR_CASE(step_decay_of_a_negative_rate) { StepDecay(-0.1, 10); }

ERROR_CASE(exponential_decay_of_gamma_0) { Adam(ExponentialDecay(0.1, 0)); }

ERROR_CASE(exponential_decay_in_no_steps) { ExponentialDecay(0.1, 0.5, {.decay_steps = 0}); }

ERROR_CASE(cosine_decay_of_no_steps) { CosineDecay(0.1, 0); }

ERROR_CASE(cosine_decay_below_zero) { CosineDecay(0.1, 100, {.end = -0.001}); }

ERROR_CASE(warm_up_longer_than_all) { WarmupCosine(0.001, 2000, 1000); }

ERROR_CASE(warm_up_of_negative_steps) { WarmupLinear(0.001, -1, 1000); }

ERROR_CASE(warm_up_from_below_zero) { WarmupLinear(0.001, 10, 1000, {.start = -1}); }

ERROR_CASE(warm_up_to_no_number) {
  WarmupCosine(0.001, 10, 1000, {.end = std::numeric_limits<double>::quiet_NaN()});
}

ERROR_CASE(schedule_of_an_empty_function) { Schedule schedule(std::function<double(i64)>{}); }

ERROR_CASE(schedule_whose_function_goes_below_zero) {
  const Schedule falling([](i64 step) { return 0.1 - 0.04 * static_cast<double>(step); });
  auto model = trained_with(SGD(falling));
  model.fit(samples(8), Tensor(Shape{8, 1}), {.batch_size = 2});
}

ERROR_CASE(rate_set_beside_a_schedule) {
  auto model = trained_with(Adam(CosineDecay(0.001, 1000)));
  model.set_learning_rate(0.01);
}

ERROR_CASE(rate_set_by_a_callback_beside_a_schedule) {
  auto model = trained_with(Adam(CosineDecay(0.001, 1000)));
  model.fit(samples(8), Tensor(Shape{8, 1}),
            {.callbacks = {Lambda([](TrainingState& state) { state.learning_rate = 0.5; })}});
}

ERROR_CASE(schedule_of_a_negative_number) {
  auto model = trained_with(Adam(0.001));
  model.set_schedule(-1);
}

ERROR_CASE(function_that_a_file_cannot_hold) {
  auto model = trained_with(SGD(Schedule([](i64) { return 0.1; })));
  model.fit(samples(8), Tensor(Shape{8, 1}));
  model.save(folder() + "/function.safetensors");
  auto again = Model::load(folder() + "/function.safetensors");
  again.fit(samples(8), Tensor(Shape{8, 1}));
}

ERROR_CASE(clip_value_below_zero) { SGD(0.1, {.clip_value = -1}); }

ERROR_CASE(clip_norm_below_zero) { Adam(0.1, {.clip_norm = -0.5}); }

ERROR_CASE(global_clip_norm_that_is_no_number) {
  AdamW(0.1, {.global_clip_norm = std::numeric_limits<double>::infinity()});
}

ERROR_CASE(two_ways_to_clip) { Adam(0.1, {.clip_value = 1, .global_clip_norm = 1}); }

ERROR_CASE(gradient_that_is_infinite) {
  auto root = Layer("root", [](Symbol x) { return sqrt(x * 0.0F); });
  auto model = Sequential({Dense(8), root});
  model.compile(SGD(0.1, {.global_clip_norm = 1}), MSE);
  model.fit(samples(8), Tensor(Shape{8, 8}));
}

ERROR_CASE(group_that_no_weight_fits) {
  auto model = Sequential({Dense(8, ReLU), Dense(1)});
  model.build({4});
  model.compile(AdamW(0.001, {.groups = {{"*norm*", {.weight_decay = 0}}}}), MSE);
}

ERROR_CASE(group_that_no_weight_fits_found_by_fit) {
  auto model = Sequential({Dense(8, ReLU), Dense(1)});
  model.compile(AdamW(0.001, {.groups = {{"embedding*", {.learning_rate_scale = 0.1}}}}), MSE);
  model.fit(samples(8), Tensor(Shape{8, 1}));
}

ERROR_CASE(group_whose_function_fits_nothing) {
  auto model = Sequential({Dense(8, ReLU), Dense(1)});
  model.build({4});
  model.compile(SGD(0.1, {.groups = {{[](const Weight&) { return false; }, {}}}}), MSE);
}

ERROR_CASE(group_without_a_pattern) { SGD(0.1, {.groups = {{"", {.weight_decay = 0}}}}); }

ERROR_CASE(group_with_a_negative_rate) {
  SGD(0.1, {.groups = {{"*bias", {.learning_rate_scale = -1}}}});
}

ERROR_CASE(group_with_a_negative_decay) {
  Adam(0.1, {.groups = {{"*bias", {.weight_decay = -1}}}});
}

ERROR_CASE(every_weight_in_a_frozen_group) {
  auto model = trained_with(SGD(0.1, {.groups = {{"*", {.trainable = false}}}}));
  model.fit(samples(8), Tensor(Shape{8, 1}));
}

ERROR_CASE(accumulation_of_no_batches) {
  auto model = trained_with(SGD(0.1));
  model.fit(samples(8), Tensor(Shape{8, 1}), {.accumulate = 0});
}

ERROR_CASE(average_that_never_moves) {
  auto model = Sequential({Dense(8, ReLU), Dense(1)});
  model.compile(SGD(0.1), MSE, {}, {.ema = 1});
}

ERROR_CASE(average_of_negative_momentum) {
  auto model = Sequential({Dense(8, ReLU), Dense(1)});
  model.compile(SGD(0.1), MSE, {}, {.ema = -0.1});
}

ERROR_CASE(averages_of_a_model_without) {
  auto model = trained_with(SGD(0.1));
  model.use_averaged_weights(true);
}

ERROR_CASE(averages_before_training) {
  auto model = trained_with(SGD(0.1), {.ema = 0.999});
  const AveragedWeights averaged(model);
}

ERROR_CASE(training_of_averaged_weights) {
  auto model = trained_with(SGD(0.1), {.ema = 0.999});
  model.fit(samples(8), Tensor(Shape{8, 1}));
  model.use_averaged_weights(true);
  model.fit(samples(8), Tensor(Shape{8, 1}));
}

}  // namespace goneuron::errors
