// Losses and metrics that layers add: their part in the loss and in the gradients, the logs, and
// what becomes of them when a model is copied, shared, saved and loaded. And the dtypes of inputs.
#include <filesystem>

#include "graph/expr.h"
#include "model_testing.h"

namespace goneuron {
namespace {

/// Adds `weight` times the mean of x^2 to the loss, and logs the mean of |x|.
Layer activity(double weight, const char* name = "activity") {
  return Layer("penalty", [=](Symbol x) {
    add_loss(mean(square(x)), name, weight);
    add_metric("size", mean(abs(x)));
    return x;
  });
}

/// y = w x with a penalty on y: L = mean((w x - t)^2) + c mean((w x)^2), by hand.
TEST(AddedLoss, HasItsPartInLossAndGradient) {
  const double c = 0.25, rate = 0.1;
  auto model = Sequential({Dense(1, {.bias = false, .weight_init = Constant(1.5)}), activity(c)});
  model.compile(SGD(rate), MSE, {MeanAbsoluteError});
  const std::vector<float> x = {0.5, -1, 2, 0.25}, t = {1, 0.5, -1, 2};
  double w = 1.5;
  for (int step = 0; step < 5; ++step) {
    double loss = 0, penalty = 0, size = 0, error = 0, slope = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double y = w * x[i], e = y - t[i];
      loss += e * e / 4;
      error += std::abs(e) / 4;
      penalty += y * y / 4;
      size += std::abs(y) / 4;
      slope += (2 * e * x[i] + c * 2 * y * x[i]) / 4;
    }
    const Logs logs = model.train_on_batch(Tensor(x, Shape{4, 1}), Tensor(t, Shape{4, 1}));
    EXPECT_EQ(logs.names,
              (std::vector<std::string>{"loss", "mean_absolute_error", "activity", "size"}));
    EXPECT_NEAR(logs["loss"], loss + c * penalty, 4 * few_roundings);
    EXPECT_NEAR(logs["mean_absolute_error"], error, 4 * few_roundings);
    EXPECT_NEAR(logs["activity"], penalty, 4 * few_roundings);
    EXPECT_NEAR(logs["size"], size, 4 * few_roundings);
    w -= rate * slope;
    EXPECT_NEAR(model.weights()[0].value.item(), w, 4 * few_roundings);
  }
}

// Two layers of one name: losses add up, metrics are averaged; evaluation and fit() report them.
TEST(AddedLoss, OfOneNameAddUp) {
  const Symbol in = Input({2});
  auto model = Model(in, activity(0.5)(activity(2)(in) * 2.0) | Dense(1, {.bias = false}));
  model.compile(SGD(0.1), MSE);
  const Tensor x({{1, -2}, {3, 0.5}}), y(Shape{2, 1});
  const double squares = (1 + 4 + 9 + 0.25) / 4, sizes = (1 + 2 + 3 + 0.5) / 4;
  const Logs logs = model.evaluate(x, y);
  EXPECT_EQ(logs.names, (std::vector<std::string>{"loss", "activity", "size"}));
  EXPECT_NEAR(logs["activity"], squares + 4 * squares, 20 * few_roundings);
  EXPECT_NEAR(logs["size"], (sizes + 2 * sizes) / 2, 4 * few_roundings);
  const Tensor p = model.predict(x);
  const double data = (p.at({0, 0}) * p.at({0, 0}) + p.at({1, 0}) * p.at({1, 0})) / 2;
  EXPECT_NEAR(logs["loss"], data + 2 * squares + 0.5 * 4 * squares, 20 * few_roundings);
  const History history = model.fit(x, y, {.epochs = 2, .validation = Dataset(x, y)});
  EXPECT_EQ(history["val_activity"].size(), 2U);
  EXPECT_EQ(history["size"].size(), 2U);
}

// Statistics over the whole batch: the square of the mean of all samples, not the mean of squares.
TEST(AddedLoss, MayBeAStatisticOfTheBatch) {
  const Layer balance("balance", [](Symbol x) {
    add_loss(sum(square(mean(x, {0})), {0}), "balance", 1);
    return x;
  });
  auto model = Sequential({Dense(2, {.bias = false, .weight_init = Constant(1)}), balance});
  model.compile(SGD(0.125), Loss("none", [](Symbol, Symbol p) { return mean(p) * 0.0; }));
  const Tensor x({{1}, {2}, {3}, {6}}), y(Shape{4, 2});
  const Logs logs = model.train_on_batch(x, y);  // mean 3: both columns 9
  EXPECT_NEAR(logs["balance"], 18, 20 * few_roundings);
  EXPECT_NEAR(logs["loss"], 18, 20 * few_roundings);
  // d (3 w)^2 / dw = 18 w.
  EXPECT_NEAR(model.weights()[0].value.at({0, 1}), 1 - 0.125 * 18, 20 * few_roundings);
}

// Weights that only an added loss needs are the model's like all others.
TEST(AddedLoss, MayHaveWeightsOfItsOwn) {
  const Layer head = Dense(1, {.name = "auxiliary"});
  const Layer watched("watched", [head](Symbol x) {
    add_loss(mean(square(head(x) - 1.0)), "auxiliary_loss");
    return x;
  });
  auto model = Sequential({Dense(3, Tanh), watched, Dense(2)});
  model.compile(Adam(0.05), MSE);
  const Tensor x = values({8, 4}), y = values({8, 2}, 3);
  const double before = model.train_on_batch(x, y)["auxiliary_loss"];
  EXPECT_EQ(model.parameters(), 4 * 3 + 3 + 3 + 1 + 3 * 2 + 2);
  for (int step = 0; step < 30; ++step) model.train_on_batch(x, y);
  EXPECT_LT(model.evaluate(x, y)["auxiliary_loss"], before / 4);
}

TEST(AddedLoss, ComesAlongWhereItsModelIsALayer) {
  auto part = Sequential({Dense(3), activity(0.5)});
  auto whole = Sequential({part, Dense(2)});
  whole.compile(SGD(0.1), MSE);
  const Tensor x = values({6, 4}), y = values({6, 2}, 3);
  const Logs logs = whole.evaluate(x, y);
  const Tensor h = part.predict(x);
  double squares = 0;
  for (i64 i = 0; i < h.size(); ++i) squares += double{h.data()[i]} * h.data()[i] / 18;
  EXPECT_NEAR(logs["activity"], squares, 4 * few_roundings);
  const Tensor p = whole.predict(x);
  double data = 0;
  for (i64 i = 0; i < p.size(); ++i) {
    const double e = double{p.data()[i]} - y.data()[i];
    data += e * e / 12;
  }
  EXPECT_NEAR(logs["loss"], data + 0.5 * squares, 4 * few_roundings);
  // Twice in one model: the terms of both calls.
  const Symbol in = Input({4});
  auto two = Model(in, Layer(part)(in) + Layer(part)(in * 2.0));
  two.compile(SGD(0.1), MSE);
  const Tensor h2 = part.predict([&] {
    Tensor twice = x.clone();
    for (i64 i = 0; i < twice.size(); ++i) twice.data()[i] *= 2;
    return twice;
  }());
  double more = 0;
  for (i64 i = 0; i < h2.size(); ++i) more += double{h2.data()[i]} * h2.data()[i] / 18;
  EXPECT_NEAR(two.evaluate(x, values({6, 3}))["activity"], squares + more, 10 * few_roundings);
}

TEST(AddedLoss, IsSavedAndLoaded) {
  const std::string path = std::filesystem::temp_directory_path() / "goneuron_added.safetensors";
  const Tensor x = values({8, 4}), y = values({8, 2}, 3);
  auto model = Sequential({Dense(3, Tanh), activity(0.5), Dense(2)});
  model.compile(Adam(0.01), MSE, {MeanAbsoluteError});
  model.fit(x, y, {.epochs = 2});
  model.save(path);
  auto again = Model::load(path);
  for (int step = 0; step < 3; ++step) {
    const Logs a = model.train_on_batch(x, y), b = again.train_on_batch(x, y);
    EXPECT_EQ(a.names, b.names);
    EXPECT_EQ(a.values, b.values);
  }
  // Compiled anew, the loaded layers still add their loss; called again, too.
  model.compile(SGD(0.1), MSE);
  again.compile(SGD(0.1), MSE);
  EXPECT_EQ(model.evaluate(x, y).values, again.evaluate(x, y).values);
  auto over = Sequential({again});
  over.compile(SGD(0.1), MSE);
  EXPECT_EQ(over.evaluate(x, y).values, again.evaluate(x, y).values);
  const Symbol in = Input({3});
  auto layer = Model(in, again.get_layer("penalty")(in));
  layer.compile(SGD(0.1), MSE);
  const Tensor h = values({5, 3});
  double squares = 0;
  for (i64 i = 0; i < h.size(); ++i) squares += double{h.data()[i]} * h.data()[i] / 15;
  EXPECT_NEAR(layer.evaluate(h, h)["activity"], squares, few_roundings);
  std::filesystem::remove(path);
}

// After Softmax, too, the loss is that of the logits: the same bits as without the penalty.
TEST(AddedLoss, LeavesTheLogitsFormInPlace) {
  auto plain = Sequential({Dense(3, Softmax)}), with = Sequential({Dense(3, Softmax), activity(0)});
  const Tensor x({{90, -80}, {70, 95}}), y(std::vector<std::int32_t>{2, 0});
  for (auto* model : {&plain, &with}) model->compile(SGD(0.1), CrossEntropy, {}, {.seed = 4});
  EXPECT_EQ(plain.train_on_batch(x, y)["loss"], with.train_on_batch(x, y)["loss"]);
  EXPECT_NE(with.summary(2).find("are one function of the logits"), std::string::npos);
}

TEST(AddedLoss, IsTheSameForAnyNumberOfWorkers) {
  const Tensor x = values({64, 20}), y = labels(64, 3);
  Tensor first;
  for (const int workers : {1, 2, 3}) {
    set_threads(workers);
    auto model = Sequential({Dense(40, Tanh), activity(0.1), Dense(3, Softmax)});
    model.compile(Adam(0.01), CrossEntropy, {Accuracy}, {.seed = 3});
    model.fit(x, y, {.epochs = 2, .batch_size = 32});
    if (workers == 1) first = model.weights()[0].value.clone();
    EXPECT_TRUE(same_bits(model.weights()[0].value, first)) << workers;
  }
  set_threads(0);
}

// ---- inputs of integers ----

/// The mean of a sample's integers.
Layer integer_mean() {
  return Layer("integer_mean", [](Symbol x) {
    EXPECT_EQ(x.dtype(), DType::i32);
    return mean(make("cast", {x}, {{"dtype", static_cast<i64>(DType::f32)}}), {1}, true);
  });
}

TEST(InputDtype, DataBecomesTheInputs) {
  const Symbol in = Input({3}, DType::i32);
  EXPECT_EQ(in.dtype(), DType::i32);
  auto model = Model(in, integer_mean()(in));
  const std::vector<std::int32_t> whole = {1, 2, 3, 250, 0, 2};
  const Tensor expected = model.predict(Tensor(whole, Shape{2, 3}));
  EXPECT_EQ(expected.at({0, 0}), 2);
  EXPECT_EQ(expected.at({1, 0}), 84);
  for (const DType dtype : {DType::u8, DType::i16, DType::f32, DType::f64, DType::f16})
    EXPECT_TRUE(same_bits(model.predict(Tensor(whole, Shape{2, 3}).to(dtype)), expected))
        << dtype_name(dtype);
  model.compile(SGD(0.1), MSE);
  EXPECT_EQ(model.evaluate(Tensor(whole, Shape{2, 3}).to(DType::f32), expected)["loss"], 0);
  EXPECT_EQ(model.evaluate(Dataset(Tensor(whole, Shape{2, 3}).to(DType::f32), expected)
                               .map([](const Sample& s) { return s; }))["loss"],
            0);
}

TEST(InputDtype, FractionsAreRefused) {
  const Symbol in = Input({2, 2}, DType::i32);
  const auto model = Model(in, in);
  for (const double bad : {0.5, 3e9, std::nan("")}) {
    Tensor x(Shape{3, 2, 2});
    x.set({2, 1, 0}, bad);
    try {
      model.predict(x);
      ADD_FAILURE() << bad;
    } catch (const DataError& error) {
      const std::string text = error.what();
      EXPECT_NE(text.find("row 2, element [1, 0]"), std::string::npos) << text;
      EXPECT_NE(text.find("whole numbers"), std::string::npos) << text;
    }
  }
}

}  // namespace
}  // namespace goneuron
