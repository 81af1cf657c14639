// Programs that make a mistake with metrics, callbacks and histories.
#pragma once

#include "errors_training.h"

namespace goneuron::errors {

ERROR_CASE(metric_of_another_name) { Metric metric("f1_scor"); }

ERROR_CASE(metric_with_one_hot_rows_for_class_indices) {
  auto model = Sequential({Dense(3, Softmax)});
  model.compile(SGD(0.1), CrossEntropy, {SparseCategoricalAccuracy});
  model.fit(samples(6), Tensor(Shape{6, 3}));
}

ERROR_CASE(top_k_of_nothing) { SparseTopKCategoricalAccuracy({.k = 0}); }

ERROR_CASE(top_k_of_more_than_there_are) {
  auto model = Sequential({Dense(3, Softmax)});
  model.compile(SGD(0.1), CrossEntropy, {SparseTopKCategoricalAccuracy({.k = 4})});
  model.fit(samples(6), Tensor(Shape{6}, DType::i32));
}

ERROR_CASE(f_score_without_a_beta) { F1Score({.beta = 0}); }

ERROR_CASE(threshold_that_is_no_number) { Precision({.threshold = std::nan("")}); }

ERROR_CASE(confusion_matrix_of_too_many_classes) {
  auto model = Sequential({Dense(65, Softmax)});
  model.compile(SGD(0.1), CrossEntropy, {ConfusionMatrix});
  model.fit(samples(6), Tensor(Shape{6}, DType::i32));
}

ERROR_CASE(confusion_matrix_that_was_not_logged) {
  auto model = regressor();
  const Logs logs = model.evaluate(samples(6), Tensor(Shape{6, 1}));
  confusion_matrix(logs, "val_");
}

ERROR_CASE(two_metrics_of_one_name) {
  auto model = Sequential({Dense(3, Softmax)});
  model.compile(SGD(0.1), CrossEntropy, {F1Score, F1Score({.average = Micro})});
  model.fit(samples(6), Tensor(Shape{6}, DType::i32));
}

ERROR_CASE(evidence_that_is_no_rows) {
  auto model = regressor();
  model.compile(SGD(0.1), MSE, {Metric("mine", [](Symbol, Symbol p) {
                  return Evidence{p, nullptr};
                })});
  model.fit(samples(6), Tensor(Shape{6, 1}));
}

ERROR_CASE(evidence_that_shares_its_accumulator) {
  struct Nothing : Accumulator {
    void reset() override {}
    void add(const float*, i64) override {}
    void finish(double* numbers) override { numbers[0] = 0; }
    std::vector<double> state() const override { return {}; }
    void restore(const std::vector<double>&) override {}
  };
  const auto one = std::make_shared<Nothing>();
  auto model = regressor();
  model.compile(SGD(0.1), MSE, {Metric("mine", [&](Symbol, Symbol p) {
                  return Evidence{p, [&] { return one; }};
                })});
  model.fit(samples(6), Tensor(Shape{6, 1}));
}

ERROR_CASE(mean_of_an_empty_symbol) { MeanOf("hidden", Symbol()); }

ERROR_CASE(early_stopping_with_a_patience_below_zero) { EarlyStopping({.patience = -1}); }

ERROR_CASE(early_stopping_with_an_unknown_mode) { EarlyStopping({.mode = "lowest"}); }

ERROR_CASE(early_stopping_of_a_name_that_does_not_tell) { EarlyStopping({.monitor = "val_iou"}); }

ERROR_CASE(early_stopping_without_validation) {
  auto model = regressor();
  model.fit(samples(6), Tensor(Shape{6, 1}), {.callbacks = {EarlyStopping()}});
}

ERROR_CASE(early_stopping_of_a_name_that_is_not_there) {
  auto model = regressor();
  Dataset data(samples(6), Tensor(Shape{6, 1}));
  model.fit(data, {.validation = data, .callbacks = {EarlyStopping({.monitor = "val_accuracy"})}});
}

ERROR_CASE(early_stopping_with_a_negative_delta) { EarlyStopping({.min_delta = -0.1}); }

ERROR_CASE(early_stopping_from_before_the_start) { EarlyStopping({.start_from_epoch = -2}); }

ERROR_CASE(early_stopping_with_a_baseline_that_is_no_number) {
  EarlyStopping({.baseline = std::nan("")});
}

ERROR_CASE(early_stopping_without_a_monitor) { EarlyStopping({.monitor = ""}); }

ERROR_CASE(rate_that_would_grow) { ReduceLROnPlateau({.factor = 2}); }

ERROR_CASE(rate_reduction_with_a_patience_below_zero) { ReduceLROnPlateau({.patience = -1}); }

ERROR_CASE(rate_reduction_with_a_cooldown_below_zero) { ReduceLROnPlateau({.cooldown = -1}); }

ERROR_CASE(rate_reduction_below_zero) { ReduceLROnPlateau({.min_lr = -1e-5}); }

ERROR_CASE(rate_reduction_beside_a_schedule) {
  auto model = Sequential({Dense(1)});
  model.compile(SGD(CosineDecay(0.1, 100)), MSE);
  model.fit(samples(6), Tensor(Shape{6, 1}),
            {.callbacks = {ReduceLROnPlateau({.monitor = "loss"})}});
}

ERROR_CASE(scheduler_without_a_function) { LearningRateScheduler(nullptr); }

ERROR_CASE(checkpoint_without_a_path) { ModelCheckpoint(""); }

ERROR_CASE(checkpoint_with_a_brace_left_open) { ModelCheckpoint("model-{epoch.st"); }

ERROR_CASE(checkpoint_with_a_name_left_out) { ModelCheckpoint("model-{}.st"); }

ERROR_CASE(checkpoint_with_a_format_of_text) { ModelCheckpoint("model-{epoch:s}.st"); }

ERROR_CASE(checkpoint_of_a_name_that_is_not_there) {
  auto model = regressor();
  model.fit(samples(6), Tensor(Shape{6, 1}), {.callbacks = {ModelCheckpoint("{val_loss:.2f}.st")}});
}

ERROR_CASE(checkpoint_every_minus_one_step) { ModelCheckpoint("model.st", {.save_freq = -1}); }

ERROR_CASE(checkpoint_that_keeps_less_than_none) { ModelCheckpoint("model.st", {.keep_last = -1}); }

ERROR_CASE(checkpoint_in_a_folder_that_is_a_file) {
  auto model = regressor();
  const std::string path = file_with("file", "text") + "/model.st";
  model.fit(samples(6), Tensor(Shape{6, 1}), {.callbacks = {ModelCheckpoint(path)}});
}

ERROR_CASE(csv_logger_without_a_path) { CSVLogger(""); }

ERROR_CASE(csv_logger_with_a_separator_of_numbers) { CSVLogger("log.csv", {.separator = "."}); }

ERROR_CASE(csv_logger_in_a_folder) {
  auto model = regressor();
  model.fit(samples(6), Tensor(Shape{6, 1}), {.callbacks = {CSVLogger(folder())}});
}

ERROR_CASE(csv_logger_behind_other_columns) {
  auto model = regressor();
  const std::string path = file_with("other.csv", "epoch,accuracy\n");
  model.fit(samples(6), Tensor(Shape{6, 1}), {.callbacks = {CSVLogger(path, {.append = true})}});
}

ERROR_CASE(json_logger_behind_what_is_no_array) {
  auto model = regressor();
  const std::string path = file_with("other.json", "{\"loss\": 1}");
  model.fit(samples(6), Tensor(Shape{6, 1}),
            {.callbacks = {JSONLogger(path, {.lines = false, .append = true})}});
}

ERROR_CASE(tensorboard_without_a_folder) { TensorBoard(""); }

ERROR_CASE(tensorboard_with_gradients_alone) { TensorBoard("logs", {.write_gradients = true}); }

ERROR_CASE(tensorboard_every_minus_one_epoch) { TensorBoard("logs", {.histogram_freq = -1}); }

ERROR_CASE(tensorboard_every_minus_one_step) { TensorBoard("logs", {.update_freq = -1}); }

ERROR_CASE(tensorboard_in_a_file) {
  auto model = regressor();
  const std::string path = file_with("taken", "text");
  model.fit(samples(6), Tensor(Shape{6, 1}), {.callbacks = {TensorBoard(path)}});
}

ERROR_CASE(profile_of_no_steps) { Profile({.steps = 0}); }

ERROR_CASE(profile_from_before_the_start) { Profile({.first_step = -1}); }

ERROR_CASE(lambda_callback_without_a_function) { LambdaCallback({}); }

ERROR_CASE(moving_average_of_a_model_without_one) {
  auto model = regressor();
  model.fit(samples(6), Tensor(Shape{6, 1}), {.callbacks = {MovingAverage()}});
}

ERROR_CASE(report_without_a_path) { HTMLReport(""); }

ERROR_CASE(report_of_less_than_no_samples) { HTMLReport("page.html", {.samples = -1}); }

ERROR_CASE(report_every_minus_one_epoch) { HTMLReport("page.html", {.every = -1}); }

ERROR_CASE(history_that_is_not_there) { History::load_csv("/nowhere/history.csv"); }

ERROR_CASE(history_with_a_text_for_a_number) {
  const std::string path = file_with("history.csv", "epoch,loss\n1,0.5\n2,half\n");
  History::load_csv(path);
}

ERROR_CASE(history_with_a_field_too_many) {
  const std::string path = file_with("wide.csv", "epoch,loss\n1,0.5,0.2\n");
  History::load_csv(path);
}

ERROR_CASE(history_with_a_quote_left_open) {
  const std::string path = file_with("quote.csv", "epoch,\"loss\n1,0.5\n");
  History::load_csv(path);
}

ERROR_CASE(history_that_is_no_json) {
  const std::string path = file_with("history.json", "[{\"loss\": 0.5}");
  History::load_json(path);
}

}  // namespace goneuron::errors
