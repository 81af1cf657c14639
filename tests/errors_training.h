// Programs that make a mistake in data, losses, options and the order of calls.
#pragma once

#include <cmath>
#include <limits>

#include "errors.h"

namespace goneuron::errors {

/// Two dense layers on four features, one value.
inline Model regressor() {
  auto model = Sequential({Dense(8, ReLU), Dense(1)});
  model.compile(SGD(0.1), MSE);
  return model;
}
inline Tensor samples(i64 count = 6) {
  Tensor x(Shape{count, 4});
  for (i64 i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i % 7) / 7;
  return x;
}

ERROR_CASE(label_out_of_range) {
  auto model = Sequential({Dense(8, ReLU), Dense(3, Softmax)});
  model.compile(SGD(0.1), CrossEntropy);
  std::vector<std::int32_t> labels = {0, 1, 2, 1, 3, 0};
  model.fit(samples(6), labels, {.batch_size = 4});
}

ERROR_CASE(label_below_zero) {
  auto model = Sequential({Dense(8, ReLU), Dense(3, Softmax)});
  model.compile(SGD(0.1), CrossEntropy);
  std::vector<std::int32_t> labels = {0, 1, -1};
  model.train_on_batch(samples(3), labels);
}

ERROR_CASE(label_out_of_range_in_the_validation_data) {
  auto model = Sequential({Dense(8, ReLU), Dense(3, Softmax)});
  model.compile(SGD(0.1), CrossEntropy);
  std::vector<std::int32_t> good = {0, 1, 2}, bad = {0, 1, 10};
  model.fit({samples(3), good}, {.validation = Dataset(samples(3), bad)});
}

ERROR_CASE(one_hot_of_integers) {
  auto model = Sequential({Dense(8, ReLU), Dense(3, Softmax)});
  model.compile(SGD(0.1), CrossEntropy);
  Tensor one_hot(std::vector<std::int32_t>{1, 0, 0, 0, 1, 0}, {2, 3});
  model.fit(samples(2), one_hot);
}

ERROR_CASE(one_hot_of_another_width) {
  auto model = Sequential({Dense(8, ReLU), Dense(3, Softmax)});
  model.compile(SGD(0.1), CrossEntropy);
  Tensor one_hot(Shape{6, 10});
  model.fit(samples(6), one_hot);
}

ERROR_CASE(class_indices_in_floating_point) {
  auto model = Sequential({Dense(8, ReLU), Dense(3, Softmax)});
  model.compile(SGD(0.1), CrossEntropy);
  std::vector<float> labels = {0, 1, 2};
  model.fit(samples(3), labels);
}

ERROR_CASE(class_indices_of_another_shape) {
  auto model = Sequential({Dense(8, ReLU), Dense(3, Softmax)});
  model.compile(SGD(0.1), CrossEntropy);
  Tensor labels(Shape{6, 2}, DType::i32);
  model.fit(samples(6), labels);
}

ERROR_CASE(loss_does_not_broadcast) {
  auto model = Sequential({Dense(8, ReLU), Dense(1)});
  model.compile(SGD(0.1), MSE);
  model.fit(samples(6), Tensor(Shape{6, 4}));
}

ERROR_CASE(binary_loss_of_class_indices) {
  auto model = Sequential({Dense(3, Sigmoid)});
  model.compile(Adam(0.01), BinaryCrossEntropy);
  model.fit(samples(6), Tensor(Shape{6}, DType::i32));
}

ERROR_CASE(cross_entropy_of_one_output) {
  auto model = Sequential({Dense(1, Softmax)});
  model.compile(Adam(0.01), CrossEntropy);
  model.fit(samples(6), Tensor(Shape{6}, DType::i32));
}

ERROR_CASE(cross_entropy_of_a_layer_without_activation) {
  auto model = Sequential({Dense(3)});
  model.compile(Adam(0.01), CrossEntropy);
  model.fit(samples(6), Tensor(Shape{6}, DType::i32));
}

ERROR_CASE(prediction_above_one) {
  auto model = Sequential({Dense(2), Layer("times_nine", [](Symbol x) { return abs(x) * 9; })});
  model.compile(Adam(0.01), CrossEntropy);
  model.fit(samples(6), Tensor(Shape{6}, DType::i32));
}

ERROR_CASE(binary_target_above_one) {
  auto model = Sequential({Dense(2, Sigmoid)});
  model.compile(Adam(0.01), BinaryCrossEntropy);
  Tensor y(Shape{6, 2});
  y.set({4, 1}, 3);
  model.fit(samples(6), y, {.batch_size = 4, .shuffle = false});
}

ERROR_CASE(one_hot_target_below_zero) {
  auto model = Sequential({Dense(2, Softmax)});
  model.compile(Adam(0.01), CrossEntropy);
  Tensor y(Shape{6, 2});
  y.set({1, 0}, -1);
  model.evaluate(samples(6), y);
}

ERROR_CASE(class_weight_of_numbers) {
  auto model = regressor();
  Tensor y(Shape{6, 1});
  y.set({2, 0}, 7.5);
  model.fit(samples(6), y, {.class_weight = {1, 2}});
}

ERROR_CASE(padding_that_is_not_ignored) {
  auto model = Sequential({Dense(3, Softmax)});
  model.compile(Adam(0.01), CrossEntropy);
  Tensor y(Shape{6, 5}, DType::i32);
  y.set({2, 3}, -1);
  model.fit(Tensor(Shape{6, 5, 2}), y);
}

ERROR_CASE(mask_that_no_layer_takes) {
  auto model = Sequential({LSTM(4), Dense(1)});
  model.compile(Adam(0.01), MSE);
  const std::vector<Tensor> series = {Tensor(Shape{3, 2}), Tensor(Shape{5, 2})};
  model.fit(data::buckets(series, Tensor(Shape{2, 1})));
}

ERROR_CASE(monitor_by_another_name) {
  auto model = Sequential({Dense(1)});
  model.compile(Adam(0.01), MSE, {MeanAbsoluteError});
  model.fit(samples(6), Tensor(Shape{6, 1}),
            {.validation_split = 0.5, .callbacks = {EarlyStopping({.monitor = "val_mae"})}});
}

ERROR_CASE(monitor_of_nearly_that_name) {
  auto model = Sequential({Dense(3, Softmax)});
  model.compile(Adam(0.01), CrossEntropy, {Accuracy});
  model.fit(samples(6), Tensor(Shape{6}, DType::i32),
            {.callbacks = {EarlyStopping({.monitor = "acc", .mode = "max"})}});
}

ERROR_CASE(memory_of_samples_of_any_size) {
  auto model = Sequential({LSTM(4), Dense(1)});
  model.build({Any, 2});
  model.memory_report(8);
}

ERROR_CASE(layer_with_an_empty_function) {
  const std::function<Symbol(Symbol)> nothing;
  Sequential({Layer("mine", nothing)});
}

ERROR_CASE(metric_does_not_fit) {
  auto model = Sequential({Dense(2)});
  model.compile(SGD(0.1), MSE, {Accuracy});
  model.fit(samples(6), Tensor(Shape{6, 2}, DType::u8));
}

ERROR_CASE(empty_data) {
  auto model = regressor();
  Tensor x(Shape{0, 4}), y(Shape{0, 1});
  model.fit(x, y);
}

ERROR_CASE(empty_dataset) {
  auto model = regressor();
  Dataset nothing;
  model.fit(nothing);
}

ERROR_CASE(x_and_y_of_different_length) {
  auto model = regressor();
  Tensor y(Shape{5, 1});
  model.fit(samples(6), y);
}

ERROR_CASE(dataset_of_different_lengths) {
  Tensor x(Shape{6, 4}), y(Shape{5});
  Dataset data(x, y);
}

ERROR_CASE(nan_in_the_data) {
  auto model = regressor();
  Tensor x = samples(100);
  x.set({57, 2}, std::nan(""));
  model.fit(x, Tensor(Shape{100, 1}), {.batch_size = 16, .seed = 3});
}

ERROR_CASE(infinity_in_an_image) {
  auto model = Sequential({Flatten(), Dense(1)});
  model.compile(SGD(0.1), MSE);
  Tensor images(Shape{5, 4, 4, 1});
  images.set({3, 2, 1, 0}, std::numeric_limits<double>::infinity());
  model.evaluate(images, Tensor(Shape{5, 1}), 2);
}

ERROR_CASE(infinity_in_the_targets) {
  auto model = regressor();
  Tensor y(Shape{6, 1});
  y.set({4, 0}, -std::numeric_limits<double>::infinity());
  model.fit(samples(6), y);
}

ERROR_CASE(loss_not_finite) {
  auto root = Layer("root", [](Symbol x) { return sqrt(x - 2); });
  auto model = Sequential({Dense(8, Tanh), root, Dense(1)});
  model.compile(SGD(0.1), MSE);
  model.fit(samples(6), Tensor(Shape{6, 1}));
}

ERROR_CASE(weight_not_finite) {
  auto model = regressor();
  model.build({4});
  model.weights()[2].value.set({0, 0}, std::nan(""));
  model.fit(samples(6), Tensor(Shape{6, 1}));
}

ERROR_CASE(fit_before_compile) {
  auto model = Sequential({Dense(1)});
  model.fit(samples(6), Tensor(Shape{6, 1}));
}

ERROR_CASE(evaluate_before_compile) {
  auto model = Sequential({Dense(1)});
  model.evaluate(samples(6), Tensor(Shape{6, 1}));
}

ERROR_CASE(compile_without_a_loss) {
  auto model = Sequential({Dense(1)});
  model.compile(SGD(0.1), Loss());
}

ERROR_CASE(metric_unknown) {
  auto model = Sequential({Dense(3, Softmax)});
  model.compile(SGD(0.1), CrossEntropy, {"acuracy"});
}

ERROR_CASE(log_unknown) {
  auto model = regressor();
  Logs logs = model.evaluate(samples(6), Tensor(Shape{6, 1}));
  logs["accuracy"];
}

ERROR_CASE(history_unknown) {
  auto model = regressor();
  History history = model.fit(samples(6), Tensor(Shape{6, 1}));
  history["val_loss"];
}

ERROR_CASE(log_unknown_in_a_callback) {
  auto model = regressor();
  auto stop = Lambda([](TrainingState& state) { state.stop = (*state.logs)["val_loss"] < 0.1; });
  model.fit(samples(6), Tensor(Shape{6, 1}), {.callbacks = {stop}});
}

ERROR_CASE(logger_every_zero_epochs) { Logger(0); }

ERROR_CASE(batch_size_zero) {
  auto model = regressor();
  model.fit(samples(6), Tensor(Shape{6, 1}), {.batch_size = 0});
}

ERROR_CASE(batch_size_zero_by_position) {
  auto model = regressor();
  model.fit(samples(6), Tensor(Shape{6, 1}), 10, 0);
}

ERROR_CASE(batch_size_zero_of_predict) {
  auto model = regressor();
  model.predict(samples(6), 0);
}

ERROR_CASE(batch_size_zero_of_a_dataset) {
  Dataset data(samples(6), Tensor(Shape{6, 1}));
  data.batch(0);
}

ERROR_CASE(epochs_below_zero) {
  auto model = regressor();
  model.fit(samples(6), Tensor(Shape{6, 1}), {.epochs = -1});
}

ERROR_CASE(validation_split_of_everything) {
  auto model = regressor();
  model.fit(samples(6), Tensor(Shape{6, 1}), {.validation_split = 1.0});
}

ERROR_CASE(validation_split_too_small) {
  auto model = regressor();
  model.fit(samples(6), Tensor(Shape{6, 1}), {.validation_split = 0.01});
}

ERROR_CASE(split_fraction) {
  Dataset data(samples(6), Tensor(Shape{6, 1}));
  data.split(80);
}

ERROR_CASE(take_too_many) {
  Dataset data(samples(6), Tensor(Shape{6, 1}));
  data.take(7);
}

ERROR_CASE(map_of_different_shapes) {
  Dataset data(samples(6), Tensor(Shape{6, 1}));
  Dataset cut = data.map([](const Sample& s) {
    return s.x.at({0}) > 0.5 ? Sample{s.x.slice(0, 2), s.y} : s;
  });
  regressor().fit(cut);
}

ERROR_CASE(learning_rate_zero) { Adam(0); }

ERROR_CASE(learning_rate_set_below_zero) {
  auto model = regressor();
  model.set_learning_rate(-0.1);
}

ERROR_CASE(learning_rate_of_a_callback) {
  auto model = regressor();
  auto decay = Lambda([](TrainingState& state) { state.learning_rate -= 0.1; });
  model.fit(samples(6), Tensor(Shape{6, 1}), {.callbacks = {decay}});
}

ERROR_CASE(momentum_of_one) { SGD(0.1, {.momentum = 1}); }

ERROR_CASE(nesterov_without_momentum) { SGD(0.1, {.nesterov = true}); }

ERROR_CASE(beta_of_one) { Adam(0.001, {.beta2 = 1}); }

ERROR_CASE(epsilon_of_zero) { AdamW(0.001, {.epsilon = 0}); }

ERROR_CASE(weight_decay_below_zero) { AdamW(0.001, {.weight_decay = -0.01}); }

ERROR_CASE(label_smoothing_of_one) { CrossEntropy({.label_smoothing = 1}); }

ERROR_CASE(loss_without_the_prediction) {
  auto model = Sequential({Dense(1)});
  model.compile(SGD(0.1), Loss("target", [](Symbol y, Symbol) { return mean(square(y)); }));
  model.fit(samples(6), Tensor(Shape{6, 1}));
}

ERROR_CASE(loss_through_an_op_without_a_gradient) {
  auto model = Sequential({Dense(4, ReLU), Dense(3, Softmax)});
  model.compile(SGD(0.1), Loss("wrong", [](Symbol y, Symbol p) { return 1 - Accuracy(y, p); }));
  model.fit(samples(6), Tensor(Shape{6}, DType::i32));
}

ERROR_CASE(everything_frozen) {
  Layer dense = Dense(1);
  dense.set_trainable(false);
  auto model = Sequential({dense});
  model.compile(SGD(0.1), MSE);
  model.fit(samples(6), Tensor(Shape{6, 1}));
}

ERROR_CASE(predict_of_another_shape) {
  auto model = regressor();
  model.build({4});
  model.predict(Tensor(Shape{10, 5}));
}

ERROR_CASE(fit_of_another_shape) {
  auto model = Sequential({Dense(1)});
  model.compile(SGD(0.1), MSE);
  model.build({28, 28});
  model.fit(samples(6), Tensor(Shape{6, 1}));
}

ERROR_CASE(predict_of_no_samples) {
  auto model = regressor();
  model.predict(Tensor(Shape{0, 4}));
}

ERROR_CASE(summary_before_build) {
  auto model = Sequential({Dense(1)});
  model.summary();
}

ERROR_CASE(empty_model) {
  Model model;
  model.predict(samples(6));
}

ERROR_CASE(compile_by_a_callback) {
  auto model = regressor();
  model.fit(samples(6), Tensor(Shape{6, 1}),
            {.callbacks = {Lambda([&](TrainingState&) { model.compile(SGD(0.01), MSE); })}});
}

ERROR_CASE(fit_by_a_callback_of_fit) {
  auto model = regressor();
  model.fit(samples(6), Tensor(Shape{6, 1}), {.callbacks = {Lambda([&](TrainingState&) {
                                                model.fit(samples(6), Tensor(Shape{6, 1}));
                                              })}});
}

ERROR_CASE(device_unknown) { set_device("cuda"); }

ERROR_CASE(threads_below_zero) { set_threads(-1); }

ERROR_CASE(memory_of_a_step) {
  set_memory_limit(i64{64} << 20);
  set_threads(1);
  auto model = Sequential({Dense(4096, ReLU), Dense(256, ReLU), Dense(1)});
  model.compile(SGD(0.1), MSE);
  model.fit(samples(8192), Tensor(Shape{8192, 1}), {.batch_size = 8192});
}

ERROR_CASE(memory_of_the_weights) {
  set_memory_limit(i64{64} << 20);
  auto model = Sequential({Flatten(), Dense(4096, ReLU), Dense(4096, ReLU), Dense(10)});
  model.build({28, 28, 1});
}

ERROR_CASE(memory_limit_below_zero) { set_memory_limit(-1); }

}  // namespace goneuron::errors
