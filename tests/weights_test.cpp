// Weights of samples and of classes: the loss and the step are those of the closed form.
#include <gtest/gtest.h>

#include <cmath>

#include "training_runs.h"

namespace goneuron {
namespace {

/// y = w x + b for one number, from w = b = 0 on.
Model line() {
  auto model = Sequential({Dense(1)});
  model.compile(SGD(0.5), MSE, {MeanAbsoluteError});
  model.build({1});
  for (const Weight& weight : model.weights()) Tensor(weight.value).data()[0] = 0;
  return model;
}

const Tensor x(std::vector<float>{1, 2, -1, 0.5F}, {4, 1});
const Tensor y(std::vector<float>{2, 1, 3, -2}, {4, 1});
const std::vector<float> w{1, 0, 2, 0.5F};

Dataset weighted() { return Dataset(x, y).weighted(Tensor(w, {4})); }

TEST(Weights, TheLossIsTheSumOfWeightedLossesOverTheSamples) {
  const Logs logs = line().evaluate(weighted());
  double sum = 0, plain = 0;
  for (int i = 0; i < 4; ++i) {
    sum += w[static_cast<size_t>(i)] * y.data()[i] * y.data()[i];
    plain += std::fabs(y.data()[i]);
  }
  EXPECT_NEAR(logs["loss"], sum / 4, 1e-6);
  EXPECT_NEAR(logs["mean_absolute_error"], plain / 4, 1e-6);  // metrics are not weighed
}

TEST(Weights, AStepFollowsTheirGradient) {
  auto model = line();
  model.fit(weighted(), {.batch_size = 4});
  double dw = 0, db = 0;
  for (int i = 0; i < 4; ++i) {
    const double d = 2 * w[static_cast<size_t>(i)] * -y.data()[i] / 4;
    dw += d * x.data()[i];
    db += d;
  }
  const auto weights = model.weights();
  EXPECT_NEAR(weights[0].value.data()[0], -0.5 * dw, 1e-6);
  EXPECT_NEAR(weights[1].value.data()[0], -0.5 * db, 1e-6);
}

TEST(Weights, FollowTheirSamplesThroughShufflesSplitsAndMaps) {
  const i64 count = 50;
  const Tensor many = runs::noise({count, 1}, 1), target = runs::noise({count, 1}, 2);
  Tensor weights(Shape{count});
  double sum = 0, first = 0;
  for (i64 i = 0; i < count; ++i) {
    weights.data()[i] = static_cast<float>(i % 5);
    const double part = weights.data()[i] * std::pow(2.0 * target.data()[i], 2);
    sum += part;
    if (i < 20) first += part;
  }
  const Dataset data = Dataset(many, target).weighted(weights).map([](const Sample& s) {
    Sample out{s.x, s.y.clone()};
    out.y.data()[0] *= 2;
    return out;
  });
  EXPECT_NEAR(line().evaluate(data, 7)["loss"], sum / count, 1e-5);
  EXPECT_NEAR(line().evaluate(data.split(0.4).train, 7)["loss"], first / 20, 1e-5);
  auto model = line();
  model.set_learning_rate(1e-30);
  EXPECT_NEAR(model.fit(data, {.batch_size = 7}).epochs[0]["loss"], sum / count, 1e-5);
}

Tensor labels() { return {std::vector<std::int32_t>{0, 2, 2, 1}, {4}}; }

/// The loss of the first step of a fixed model over three classes, and what it would be unweighted.
std::pair<double, double> losses(const Tensor& y_true, const std::vector<double>& class_weight) {
  auto model = Sequential({Dense(3, Softmax)});
  model.compile(SGD(1e-30), CrossEntropy, {}, {.seed = 4});
  const Tensor input = runs::noise({4, 5}, 3);
  model.build({5});
  const Tensor p = model.predict(input);
  const std::vector<std::int32_t> classes{0, 2, 2, 1};
  double expected = 0;
  for (i64 i = 0; i < 4; ++i) {
    const auto c = static_cast<size_t>(classes[static_cast<size_t>(i)]);
    expected -= class_weight[c] * std::log(p.data()[i * 3 + static_cast<i64>(c)]) / 4;
  }
  const History history = model.fit(
      input, y_true, {.validation = Dataset(input, y_true), .class_weight = class_weight});
  EXPECT_NEAR(history.epochs[0]["val_loss"], model.evaluate(input, y_true)["loss"], 1e-12);
  return {history.epochs[0]["loss"], expected};
}

TEST(Weights, OfClassesByTheirIndices) {
  const auto [loss, expected] = losses(labels(), {1, 3, 0.5});
  EXPECT_NEAR(loss, expected, 1e-6);
}

TEST(Weights, OfClassesByOneHotRows) {
  Tensor rows(Shape{4, 3});
  for (i64 i = 0; i < 4; ++i) rows.data()[i * 3 + labels().data<std::int32_t>()[i]] = 1;
  const auto [loss, expected] = losses(rows, {1, 3, 0.5});
  EXPECT_NEAR(loss, expected, 1e-6);
}

TEST(Weights, OfTwoClassesByOneOutput) {
  auto model = Sequential({Dense(1, Sigmoid)});
  model.compile(SGD(1e-30), BinaryCrossEntropy, {}, {.seed = 4});
  const Tensor input = runs::noise({6, 5}, 3), target(std::vector<float>{0, 1, 1, 0, 0, 1}, {6, 1});
  model.build({5});
  const Tensor p = model.predict(input);
  double expected = 0;
  for (i64 i = 0; i < 6; ++i)
    expected -=
        target.data()[i] == 1 ? 4 * std::log(p.data()[i]) / 6 : std::log1p(-p.data()[i]) / 6;
  EXPECT_NEAR(model.fit(input, target, {.class_weight = {1, 4}}).epochs[0]["loss"], expected, 1e-6);
}

TEST(Weights, AModelTrainedWithThemIsSavedWithPlainLosses) {
  auto model = line();
  model.fit(weighted(), {.batch_size = 4});
  const std::string path = testing::TempDir() + "/weights_test.safetensors";
  model.save(path);
  EXPECT_EQ(Model::load(path).evaluate(x, y)["loss"], model.evaluate(x, y)["loss"]);
}

}  // namespace
}  // namespace goneuron
