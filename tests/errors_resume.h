// Mistakes with checkpoints, weights of samples and weights of classes.
#pragma once

#include "errors.h"

namespace goneuron::errors {

inline Model resumable() {
  auto model = Sequential({Dense(2, ReLU), Dense(1)});
  model.compile(Adam(0.01), MSE, {}, {.seed = 1});
  return model;
}

inline std::string fresh_folder() {
  const std::string path = folder() + "/resume";
  std::filesystem::remove_all(path);
  return path;
}

ERROR_CASE(backup_without_a_folder) { BackupAndRestore(""); }

ERROR_CASE(backup_every_steps_below_zero) { BackupAndRestore("run", {.every_steps = -1}); }

ERROR_CASE(backup_every_seconds_below_zero) { BackupAndRestore("run", {.every_seconds = -1}); }

ERROR_CASE(backup_keeps_none) { BackupAndRestore("run", {.keep = 0}); }

ERROR_CASE(two_folders_of_checkpoints) {
  auto model = resumable();
  model.fit(samples(6), Tensor(Shape{6, 1}), {.callbacks = {BackupAndRestore("a")}, .resume = "b"});
}

ERROR_CASE(resume_folder_is_a_file) {
  auto model = resumable();
  model.fit(samples(6), Tensor(Shape{6, 1}), {.resume = file_with("file", "text")});
}

ERROR_CASE(resume_with_another_batch_size) {
  const std::string run = fresh_folder();
  auto model = resumable();
  model.fit(samples(6), Tensor(Shape{6, 1}), {.batch_size = 2, .resume = run});
  model.fit(samples(6), Tensor(Shape{6, 1}), {.batch_size = 3, .resume = run});
}

ERROR_CASE(resume_with_another_seed) {
  const std::string run = fresh_folder();
  auto model = resumable();
  model.fit(samples(6), Tensor(Shape{6, 1}), {.resume = run});
  model.fit(samples(6), Tensor(Shape{6, 1}), {.seed = 2, .resume = run});
}

ERROR_CASE(resume_with_more_data) {
  const std::string run = fresh_folder();
  auto model = resumable();
  model.fit(samples(6), Tensor(Shape{6, 1}), {.batch_size = 2, .resume = run});
  model.fit(samples(8), Tensor(Shape{8, 1}), {.batch_size = 2, .resume = run});
}

ERROR_CASE(resume_with_other_values) {
  const std::string run = fresh_folder();
  auto model = resumable();
  Tensor y(Shape{6, 1});
  model.fit(samples(6), y, {.resume = run});
  y.set({4, 0}, 0.5);
  model.fit(samples(6), y, {.resume = run});
}

ERROR_CASE(resume_with_another_class_weight) {
  const std::string run = fresh_folder();
  const Tensor y(std::vector<std::int32_t>{0, 1, 2, 0, 1, 2});
  auto model = Sequential({Dense(3, Softmax)});
  model.compile(SGD(0.1), CrossEntropy);
  model.fit(samples(6), y, {.resume = run});
  model.fit(samples(6), y, {.class_weight = {1, 2, 1}, .resume = run});
}

ERROR_CASE(resume_with_another_loss) {
  const std::string run = fresh_folder();
  auto model = resumable();
  model.fit(samples(6), Tensor(Shape{6, 1}), {.resume = run});
  model.compile(Adam(0.01), Loss("l1", [](Symbol t, Symbol p) { return abs(t - p); }));
  model.fit(samples(6), Tensor(Shape{6, 1}), {.resume = run});
}

ERROR_CASE(resume_with_another_activation) {
  const std::string run = fresh_folder();
  resumable().fit(samples(6), Tensor(Shape{6, 1}), {.resume = run});
  auto other = Sequential({Dense(2, GELU), Dense(1)});
  other.compile(Adam(0.01), MSE, {}, {.seed = 1});
  other.fit(samples(6), Tensor(Shape{6, 1}), {.resume = run});
}

ERROR_CASE(resume_with_another_option_of_a_metric) {
  const std::string run = fresh_folder();
  const Tensor y(std::vector<std::int32_t>{0, 1, 2, 0, 1, 2});
  auto model = Sequential({Dense(3, Softmax)});
  model.compile(SGD(0.1), CrossEntropy, {SparseTopKCategoricalAccuracy({.k = 2}).named("top")});
  model.fit(samples(6), y, {.resume = run});
  model.compile(SGD(0.1), CrossEntropy, {SparseTopKCategoricalAccuracy({.k = 1}).named("top")});
  model.fit(samples(6), y, {.resume = run});
}

ERROR_CASE(resume_with_other_metrics) {
  const std::string run = fresh_folder();
  auto model = resumable();
  model.fit(samples(6), Tensor(Shape{6, 1}), {.resume = run});
  model.compile(Adam(0.01), MSE, {MeanAbsoluteError});
  model.fit(samples(6), Tensor(Shape{6, 1}), {.resume = run});
}

ERROR_CASE(resume_with_another_model) {
  const std::string run = fresh_folder();
  resumable().fit(samples(6), Tensor(Shape{6, 1}), {.resume = run});
  auto wider = Sequential({Dense(3, ReLU), Dense(1)});
  wider.compile(Adam(0.01), MSE);
  wider.fit(samples(6), Tensor(Shape{6, 1}), {.resume = run});
}

ERROR_CASE(resume_with_another_optimizer) {
  const std::string run = fresh_folder();
  auto model = resumable();
  model.fit(samples(6), Tensor(Shape{6, 1}), {.resume = run});
  model.compile(SGD(0.01), MSE);
  model.fit(samples(6), Tensor(Shape{6, 1}), {.resume = run});
}

ERROR_CASE(resume_without_the_averages) {
  const std::string run = fresh_folder();
  auto model = resumable();
  model.fit(samples(6), Tensor(Shape{6, 1}), {.resume = run});
  model.compile(Adam(0.01), MSE, {}, {.ema = 0.9});
  model.fit(samples(6), Tensor(Shape{6, 1}), {.resume = run});
}

ERROR_CASE(weights_of_too_few_samples) {
  Dataset(samples(6), Tensor(Shape{6, 1})).weighted(Tensor(Shape{5}));
}

ERROR_CASE(weights_below_zero) {
  Dataset(samples(2), Tensor(Shape{2, 1})).weighted(Tensor(std::vector<float>{1, -1}));
}

ERROR_CASE(weights_twice) {
  const Dataset data(samples(6), Tensor(Shape{6, 1}));
  data.weighted(Tensor(Shape{6})).weighted(Tensor(Shape{6}));
}

ERROR_CASE(weights_of_samples_in_buckets) {
  const std::vector<Tensor> sequences{Tensor(Shape{3, 2}), Tensor(Shape{5, 2})};
  data::buckets(sequences, Tensor(Shape{2, 1})).weighted(Tensor(Shape{2}));
}

ERROR_CASE(weights_and_a_loss_of_one_number) {
  auto model = Sequential({Dense(3, Softmax)});
  model.compile(SGD(0.1), CrossEntropy({.ignore_index = -1}));
  const Tensor y(std::vector<std::int32_t>{0, 1, 2, 0, 1, 2});
  model.fit(Dataset(samples(6), y).weighted(Tensor(Shape{6})));
}

ERROR_CASE(class_weight_below_zero) {
  auto model = resumable();
  model.fit(samples(6), Tensor(Shape{6, 1}), {.class_weight = {1, -1}});
}

ERROR_CASE(class_weight_of_too_few_classes) {
  auto model = Sequential({Dense(3, Softmax)});
  model.compile(SGD(0.1), CrossEntropy);
  model.fit(samples(6), Tensor(std::vector<std::int32_t>{0, 1, 2, 0, 1, 2}),
            {.class_weight = {1, 2}});
}

ERROR_CASE(class_weight_of_a_regression) {
  auto model = Sequential({Dense(3)});
  model.compile(SGD(0.1), MSE);
  model.fit(samples(6), Tensor(Shape{6, 3}), {.class_weight = {1, 2}});
}

}  // namespace goneuron::errors
