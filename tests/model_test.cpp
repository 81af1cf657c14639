// Models: every way to build, train, evaluate and ask one, against hand computations in double
// precision and against each other; from several threads too.
#include <algorithm>
#include <atomic>
#include <thread>

#include "model_testing.h"

namespace goneuron {
namespace {

TEST(Model, PredictIsTheHandComputationForAnyBatchSize) {
  auto model = mlp();
  const Tensor x = values({37, 5});
  const Tensor all = model.predict(x);
  ASSERT_EQ(all.shape(), Shape({37, 3}));
  for (i64 i = 0; i < 37; ++i) {
    const auto expected = by_hand(model, x[i]);
    for (i64 j = 0; j < 3; ++j)
      EXPECT_NEAR(all.at({i, j}), expected[static_cast<size_t>(j)], few_roundings);
  }
  for (const i64 batch : {1, 2, 5, 16, 36, 37, 1000}) {
    const Tensor part = model.predict(x, batch);
    ASSERT_EQ(part.shape(), all.shape());
    for (i64 i = 0; i < 37; ++i)
      for (i64 j = 0; j < 3; ++j)
        EXPECT_NEAR(part.at({i, j}), all.at({i, j}), few_roundings) << batch;
  }
}

TEST(Model, PredictTakesASingleSample) {
  auto model = mlp();
  const Tensor x = values({4, 5});
  const Tensor all = model.predict(x);
  const Tensor one = model.predict(x[2]);
  ASSERT_EQ(one.shape(), Shape({3}));
  for (i64 j = 0; j < 3; ++j) EXPECT_NEAR(one.at({j}), all.at({2, j}), few_roundings);
  EXPECT_EQ(one.argmax().item(), all.argmax().at({2}));
}

TEST(Model, PredictScalesImagesOfBytes) {
  auto model = Sequential({Flatten(), Dense(2)});
  model.build({2, 2, 1});
  Tensor bytes(Shape{3, 2, 2, 1}, DType::u8), floats(Shape{3, 2, 2, 1});
  for (i64 i = 0; i < 12; ++i) {
    bytes.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(i * 23);
    floats.data()[i] = static_cast<float>(static_cast<double>(i * 23) / 255);
  }
  EXPECT_TRUE(same_bits(model.predict(bytes), model.predict(floats)));
}

TEST(Model, BuiltFromAShapeOrFromTheFirstData) {
  const Tensor x = values({6, 5});
  const auto built = mlp(), lazy = mlp();
  auto first = built;
  first.build({5});
  EXPECT_EQ(first.parameters(), 5 * 8 + 8 + 8 * 3 + 3);
  EXPECT_EQ(lazy.parameters(), 0) << "no shape is known yet";
  EXPECT_TRUE(same_bits(first.predict(x), lazy.predict(x)));
  expect_same_weights(first, lazy);
  EXPECT_FALSE(same_bits(mlp(2).predict(x), lazy.predict(x))) << "another seed";
  EXPECT_THROW(first.build({6}), ShapeError);
  EXPECT_THROW(lazy.predict(values({2, 4})), ShapeError);
}

TEST(Model, AShapeThatDoesNotFitLeavesNothingBehind) {
  auto model = Sequential({Conv2D(2, 3), Conv2D(3, 3), Flatten(), Dense(2)});
  EXPECT_THROW(model.build({4, 4, 5}), ShapeError);
  const Tensor x = values({2, 6, 6, 1});
  EXPECT_EQ(model.predict(x).shape(), Shape({2, 2}));
  auto twin = Sequential({Conv2D(2, 3), Conv2D(3, 3), Flatten(), Dense(2)});
  EXPECT_TRUE(same_bits(model.predict(x), twin.predict(x)));
  EXPECT_EQ(model.get_layer("conv2d_1").weights().size(), 2U);
}

TEST(Model, SequentialEqualsFunctionalBitForBit) {
  const Tensor x = values({30, 6, 6, 2}), y = labels(30, 3);
  const auto conv = [] { return Conv2D(4, 3, {.padding = Same, .activation = ReLU}); };
  auto sequential = Sequential({conv(), MaxPool2D(2), BatchNorm(), Flatten(), Dropout(0.3),
                                Dense(5, GELU), Dense(3, Softmax)});
  const Symbol in = Input({6, 6, 2});
  const Symbol h = Flatten()(BatchNorm()(MaxPool2D(2)(conv()(in))));
  auto functional = Model(in, h | Dropout(0.3) | Dense(5) | GELU | Dense(3) | Softmax);
  for (Model* model : {&sequential, &functional})
    model->compile(Adam(0.01), CrossEntropy, {Accuracy}, {.seed = 0});
  const FitOptions options{.epochs = 3, .batch_size = 8, .seed = 5};
  const History a = sequential.fit(x, y, options), b = functional.fit(x, y, options);
  EXPECT_EQ(a["loss"], b["loss"]);
  EXPECT_EQ(a["accuracy"], b["accuracy"]);
  expect_same_weights(sequential, functional);
  EXPECT_TRUE(same_bits(sequential.predict(x), functional.predict(x)));
}

// ---- training and evaluating ----

TEST(Model, EvaluateIsTheHandComputation) {
  auto model = mlp();
  const Tensor x = values({23, 5}), y = labels(23, 3);
  model.build({5});
  double loss = 0, right = 0;
  for (i64 i = 0; i < 23; ++i) {
    const auto p = by_hand(model, x[i]);
    const auto label = static_cast<size_t>(y.at({i}));
    loss -= std::log(p[label]);
    right += std::max_element(p.begin(), p.end()) - p.begin() == static_cast<i64>(label) ? 1 : 0;
  }
  for (const i64 batch : {Any, i64{1}, i64{4}, i64{23}, i64{100}}) {
    const Logs logs = model.evaluate(x, y, batch);
    EXPECT_EQ(logs.names, (std::vector<std::string>{"loss", "accuracy"}));
    EXPECT_NEAR(logs["loss"], loss / 23, few_roundings) << batch;
    EXPECT_NEAR(logs["accuracy"], right / 23, 1e-7) << batch;
  }
  EXPECT_NEAR(model.test_on_batch(x, y)["loss"], loss / 23, few_roundings);
  EXPECT_NEAR(model.evaluate(Dataset(x, y).batch(5))["loss"], loss / 23, few_roundings);
  expect_same_weights(model, [&] {
    auto twin = mlp();
    twin.build({5});
    return twin;
  }());
}

// One dense layer, mean squared error, SGD: dL/dw = mean over samples of 2 (w x + b - y) x.
TEST(Model, TrainOnBatchIsTheHandComputation) {
  auto model = Sequential({Dense(1)});
  model.compile(SGD(0.125), MSE, {MeanAbsoluteError});
  model.build({2});
  const Tensor x = values({6, 2}, 3), y = values({6, 1}, 4);
  const auto w = model.weights();
  for (int step = 0; step < 5; ++step) {
    double loss = 0, error = 0, gradient[3] = {};
    for (i64 i = 0; i < 6; ++i) {
      const double x0 = x.at({i, 0}), x1 = x.at({i, 1});
      const double e = x0 * w[0].value.at({0, 0}) + x1 * w[0].value.at({1, 0}) +
                       w[1].value.at({0}) - y.at({i, 0});
      loss += e * e / 6;
      error += std::fabs(e) / 6;
      gradient[0] += 2 * e * x0 / 6;
      gradient[1] += 2 * e * x1 / 6;
      gradient[2] += 2 * e / 6;
    }
    const double expected[] = {w[0].value.at({0, 0}) - 0.125 * gradient[0],
                               w[0].value.at({1, 0}) - 0.125 * gradient[1],
                               w[1].value.at({0}) - 0.125 * gradient[2]};
    const Logs logs = model.train_on_batch(x, y);
    EXPECT_NEAR(logs["loss"], loss, few_roundings);
    EXPECT_NEAR(logs["mean_absolute_error"], error, few_roundings);
    EXPECT_NEAR(w[0].value.at({0, 0}), expected[0], few_roundings);
    EXPECT_NEAR(w[0].value.at({1, 0}), expected[1], few_roundings);
    EXPECT_NEAR(w[1].value.at({0}), expected[2], few_roundings);
  }
}

TEST(Model, FitIsTrainOnBatchOverTheBatches) {
  const Tensor x = values({20, 5}), y = labels(20, 3);
  auto one = mlp(), other = mlp();
  one.compile(Adam(0.01), CrossEntropy, {}, {.seed = 1});
  other.compile(Adam(0.01), CrossEntropy, {}, {.seed = 1});
  const History history = one.fit(x, y, {.epochs = 2, .batch_size = 8, .shuffle = false});
  for (int epoch = 0; epoch < 2; ++epoch)
    for (i64 at = 0; at < 20; at += 8) {
      const i64 end = std::min<i64>(at + 8, 20);
      other.train_on_batch(x.slice(at, end), y.slice(at, end));
    }
  expect_same_weights(one, other);
  EXPECT_LT(history["loss"][1], history["loss"][0]);
  EXPECT_EQ(history.epochs[0].names, (std::vector<std::string>{"loss"}));
}

TEST(Model, FitFormsAreTheSame) {
  const Tensor x = values({20, 5}), y = labels(20, 3);
  auto a = mlp(), b = mlp(), c = mlp();
  a.fit(x, y, {.epochs = 2, .batch_size = 8});
  b.fit(x, y, 2, 8);
  c.fit(Dataset(x, y).batch(8), {.epochs = 2});
  expect_same_weights(a, b);
  expect_same_weights(a, c);
}

TEST(Model, ValidationSplitIsTheEndOfTheData) {
  const Tensor x = values({20, 5}), y = labels(20, 3);
  auto split = mlp(), set = mlp();
  const auto a = split.fit(x, y, {.epochs = 2, .batch_size = 4, .validation_split = 0.2});
  const auto b = set.fit(
      x.slice(0, 16), y.slice(0, 16),
      {.epochs = 2, .batch_size = 4, .validation = Dataset(x.slice(16, 20), y.slice(16, 20))});
  expect_same_weights(split, set);
  EXPECT_EQ(a["loss"], b["loss"]);
  EXPECT_EQ(a["val_loss"], b["val_loss"]);
  EXPECT_EQ(a["val_accuracy"], b["val_accuracy"]);
  EXPECT_EQ(a["val_loss"].back(), split.evaluate(x.slice(16, 20), y.slice(16, 20), 4)["loss"]);
  EXPECT_THROW(split.fit(x, y, {.validation_split = 1}), GraphError);
  EXPECT_THROW(split.fit(x, y, {.validation_split = -0.1}), GraphError);
}

TEST(Model, ValidationDoesNotDisturbTraining) {
  const Tensor x = values({20, 5}), y = labels(20, 3);
  const auto trained = [&](const Dataset& validation) {
    auto model = Sequential({Dense(6), BatchNorm(), ReLU, Dropout(0.5), Dense(3, Softmax)});
    model.compile(Adam(0.01), CrossEntropy, {Accuracy});
    model.fit(x, y, {.epochs = 3, .batch_size = 8, .validation = validation, .seed = 2});
    return model;
  };
  expect_same_weights(trained({}), trained(Dataset(values({7, 5}, 9), labels(7, 3))));
}

TEST(Model, DropoutAndBatchNormObeyTheRun) {
  auto model = Sequential({BatchNorm(), Dropout(0.5)});
  model.compile(SGD(0.1), MSE);
  const Tensor x = values({8, 3});
  model.build({3});
  // Fresh running statistics are mean 0 and variance 1, and inference drops nothing.
  const Tensor fresh = model.predict(x);
  for (i64 i = 0; i < 8; ++i)
    for (i64 j = 0; j < 3; ++j)
      EXPECT_NEAR(fresh.at({i, j}), x.at({i, j}) / std::sqrt(1 + 1e-5), few_roundings);
  EXPECT_TRUE(same_bits(model.predict(x), fresh));
  model.train_on_batch(x, x);
  const auto w = model.get_layer("batch_norm").weights();
  for (const Weight& weight : w) {
    if (weight.name.find("mean") == std::string::npos) continue;
    for (i64 j = 0; j < 3; ++j) {
      double mean = 0;
      for (i64 i = 0; i < 8; ++i) mean += x.at({i, j}) / 8;
      EXPECT_NEAR(weight.value.at({j}), 0.1 * mean, 1e-7) << "a tenth of the new batch";
    }
  }
  EXPECT_FALSE(same_bits(model.predict(x), fresh));
}

TEST(Model, CompilingAgainStartsTheOptimizerAfreshAndKeepsWeights) {
  const Tensor x = values({8, 5}), y = labels(8, 3);
  auto model = mlp();
  model.train_on_batch(x, y);
  const Tensor before = model.weights()[0].value.clone();
  model.compile(Adam(0.01), CrossEntropy, {}, {.seed = 99});
  EXPECT_TRUE(same_bits(model.weights()[0].value, before));
  // Adam's first step moves each weight by the rate, against the gradient's sign.
  model.train_on_batch(x, y);
  const Tensor after = model.weights()[0].value;
  for (i64 i = 0; i < before.size(); ++i)
    EXPECT_NEAR(std::fabs(after.data()[i] - before.data()[i]), 0.01, 1e-5);
}

// ---- threads ----

TEST(ModelThreads, PredictFromSeveralAtOnce) {
  auto model = mlp();
  const Tensor x = values({64, 5});
  const Tensor expected = model.predict(x, 16);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 40; ++i) {
        const i64 begin = (t * 7 + i) % 3 * 16;
        const Tensor part = model.predict(x.slice(begin, begin + 16), 16);
        if (!same_bits(part, expected.slice(begin, begin + 16))) ++wrong;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(ModelThreads, TheFirstPredictToo) {
  const Tensor x = values({16, 5});
  auto twin = mlp();
  const Tensor expected = twin.predict(x);
  for (int round = 0; round < 20; ++round) {
    auto model = mlp();
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] { wrong += same_bits(model.predict(x), expected) ? 0 : 1; });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0);
  }
}

}  // namespace
}  // namespace goneuron
