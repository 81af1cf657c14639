// Several inputs and outputs: data by position and by name, losses and metrics for each output,
// their weights, what is logged, and everything a model does: predict, validate, save, report.
#include <filesystem>

#include "model_testing.h"

namespace goneuron {
namespace {

/// Two inputs, two outputs: y = a W, z = softmax of (a, b) V.
Model two(std::uint64_t seed = 1,
          const std::vector<OutputLoss>& losses = {{"y", MSE}, {"z", CrossEntropy, 0.5}}) {
  const Symbol a = Input({3}, {.name = "a"}), b = Input({2}, {.name = "b"});
  const Symbol y = Dense(2, {.name = "y"})(a);
  const Symbol z = Concat()({a, b}) | Dense(4, {.activation = Softmax, .name = "z"});
  auto model = Model({a, b}, {y, z});
  model.compile(SGD(0.1), losses, {{"y", MeanAbsoluteError}, {"z", {Accuracy}}}, {.seed = seed});
  return model;
}

struct Data {
  Tensor a = values({20, 3}, 1), b = values({20, 2}, 2), y = values({20, 2}, 3), z = labels(20, 4);
};

double mse_by_hand(const Tensor& y, const Tensor& p) {
  double sum = 0;
  for (i64 i = 0; i < y.size(); ++i) {
    const double e = double{p.data()[i]} - y.data()[i];
    sum += e * e / static_cast<double>(y.size());
  }
  return sum;
}
double entropy_by_hand(const Tensor& z, const Tensor& p) {
  double sum = 0;
  for (i64 i = 0; i < z.size(); ++i)
    sum -= std::log(p.at({i, z.data<std::int32_t>()[i]})) / static_cast<double>(z.size());
  return sum;
}

TEST(MultiIO, NamesAndLogs) {
  const Data d;
  auto model = two();
  EXPECT_EQ(model.input_names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(model.output_names(), (std::vector<std::string>{"y", "z"}));
  const Logs logs = model.evaluate({d.a, d.b}, {d.y, d.z}, 20);
  EXPECT_EQ(logs.names, (std::vector<std::string>{"loss", "y_loss", "z_loss",
                                                  "y_mean_absolute_error", "z_accuracy"}));
  const auto p = model.predict_all({d.a, d.b});
  ASSERT_EQ(p.size(), 2U);
  EXPECT_EQ(p[0].shape(), Shape({20, 2}));
  EXPECT_EQ(p[1].shape(), Shape({20, 4}));
  const double y = mse_by_hand(d.y, p[0]), z = entropy_by_hand(d.z, p[1]);
  EXPECT_NEAR(logs["y_loss"], y, few_roundings);
  EXPECT_NEAR(logs["z_loss"], z, few_roundings);
  EXPECT_NEAR(logs["loss"], y + 0.5 * z, few_roundings);
  // In batches of 7, 7 and 6 the same, by samples.
  const Logs parts = model.evaluate({d.a, d.b}, {d.y, d.z}, 7);
  for (size_t i = 0; i < logs.values.size(); ++i)
    EXPECT_NEAR(parts.values[i], logs.values[i], few_roundings) << logs.names[i];
}

// The gradient of the sum is the sum of the gradients: one step of SGD on both losses moves the
// weights by what the steps on one loss each do, weighted.
TEST(MultiIO, GradientIsTheWeightedSumOfBoth) {
  const Data d;
  // Both outputs share the layer that makes them differ.
  const auto make = [](const std::vector<OutputLoss>& losses) {
    const Symbol a = Input({3}, {.name = "a"}), b = Input({2}, {.name = "b"});
    const Symbol h = Concat()({a, b}) | Dense(5, Tanh);
    auto model = Model(
        {a, b}, {h | Dense(2, {.name = "y"}), h | Dense(4, {.activation = Softmax, .name = "z"})});
    model.compile(SGD(0.25), losses, {}, {.seed = 5});
    return model;
  };
  const auto both = make({{"y", MSE}, {"z", CrossEntropy, 0.5}}),
             only_y = make({{"y", MSE}, {"z", CrossEntropy, 0}}),
             only_z = make({{"y", MSE, 0}, {"z", CrossEntropy}});
  std::vector<Tensor> before;
  for (const Weight& w : both.weights()) before.push_back(w.value.clone());
  for (Model model : {both, only_y, only_z}) model.train_on_batch({d.a, d.b}, {d.y, d.z});
  for (size_t w = 0; w < before.size(); ++w)
    for (i64 i = 0; i < before[w].size(); ++i) {
      const auto moved = [&](const Model& model) {
        return double{model.weights()[w].value.data()[i]} - before[w].data()[i];
      };
      EXPECT_NEAR(moved(both), moved(only_y) + 0.5 * moved(only_z), few_roundings)
          << both.weights()[w].name;
    }
}

TEST(MultiIO, DataByPositionAndByNameAreTheSame) {
  const Data d;
  const auto train = [&](auto&& fit) {
    auto model = two();
    fit(model);
    return model;
  };
  const auto by_place = train([&](Model& m) { m.fit({d.a, d.b}, {d.y, d.z}, {.batch_size = 8}); });
  const auto by_name = train([&](Model& m) {
    m.fit({{"b", d.b}, {"a", d.a}}, {{"z", d.z}, {"y", d.y}}, {.batch_size = 8});
  });
  const auto by_dataset = train([&](Model& m) {
    m.fit(Dataset({{"b", d.b}, {"a", d.a}}, {d.y, d.z}).prefetch(), {.batch_size = 8});
  });
  expect_same_weights(by_place, by_name);
  expect_same_weights(by_place, by_dataset);
  const auto p = by_place.predict_all({d.a, d.b}),
             q = by_place.predict_all({{"b", d.b}, {"a", d.a}}, 7);
  EXPECT_TRUE(same_bits(p[0], q[0]));
  EXPECT_TRUE(same_bits(p[1], q[1]));
}

TEST(MultiIO, MapsSplitsAndValidation) {
  const Data d;
  const Dataset data({d.a, d.b}, {d.y, d.z});
  EXPECT_EQ(data.inputs(), 2);
  EXPECT_EQ(data.x_shape(1), Shape({2}));
  EXPECT_EQ(data.y_dtype(1), DType::i32);
  const auto doubled = data.map([](const Samples& s) {
    Samples out = s;
    for (i64 i = 0; i < 3; ++i) out.x[0].data()[i] *= 2;
    return out;
  });
  EXPECT_EQ(doubled.all_arrays().x[0].at({4, 1}), 2 * d.a.at({4, 1}));
  auto model = two();
  const auto [front, back] = data.split(0.75);
  const History history = model.fit(front, {.epochs = 2, .batch_size = 6, .validation = back});
  EXPECT_EQ(history["val_z_accuracy"].size(), 2U);
  EXPECT_NEAR(history["val_y_loss"][1], model.evaluate(back)["y_loss"], few_roundings);
  auto again = two();
  again.fit(data, {.epochs = 2, .batch_size = 6, .validation_split = 0.25});
  expect_same_weights(model, again);
}

TEST(MultiIO, IsTheSameForAnyNumberOfWorkers) {
  const Tensor a = values({64, 3}, 1), b = values({64, 2}, 2), y = values({64, 2}, 3),
               z = labels(64, 4);
  Model first;
  for (const int workers : {1, 2, 3}) {
    set_threads(workers);
    auto model = two();
    model.fit({a, b}, {y, z}, {.epochs = 3, .batch_size = 24, .seed = 4});
    if (workers == 1) first = model;
    expect_same_weights(model, first);
  }
  set_threads(0);
}

TEST(MultiIO, IsSavedAndLoaded) {
  const std::string path = std::filesystem::temp_directory_path() / "goneuron_two.safetensors";
  const Data d;
  auto model = two();
  model.fit({d.a, d.b}, {d.y, d.z}, {.epochs = 2, .batch_size = 8});
  model.save(path);
  auto again = Model::load(path);
  EXPECT_EQ(again.input_names(), model.input_names());
  EXPECT_EQ(again.output_names(), model.output_names());
  const auto p = model.predict_all({d.a, d.b}), q = again.predict_all({d.a, d.b});
  EXPECT_TRUE(same_bits(p[0], q[0]));
  EXPECT_TRUE(same_bits(p[1], q[1]));
  const Logs x = model.train_on_batch({d.a, d.b}, {d.y, d.z}),
             y = again.train_on_batch({{"a", d.a}, {"b", d.b}}, {{"y", d.y}, {"z", d.z}});
  EXPECT_EQ(x.names, y.names);
  EXPECT_EQ(x.values, y.values);
  expect_same_weights(model, again);
  std::filesystem::remove(path);
}

TEST(MultiIO, AnOutputWithoutALossTakesNoTarget) {
  const Data d;
  const Symbol a = Input({3});
  const Symbol h = Dense(4, {.name = "hidden"})(a);
  auto model = Model(a, {Dense(2, {.name = "y"})(h), h});
  model.compile(SGD(0.1), {{"y", MSE}}, {MeanAbsoluteError});
  EXPECT_EQ(model.train_on_batch(d.a, d.y).names,
            (std::vector<std::string>{"loss", "y_loss", "y_mean_absolute_error"}));
  EXPECT_EQ(model.predict_all(d.a)[1].shape(), Shape({20, 4}));
  EXPECT_THROW(model.predict(d.a), GraphError);
}

TEST(MultiIO, OneLossForAllOutputs) {
  const Data d;
  const Symbol a = Input({3});
  auto model = Model(a, {Dense(2)(a), Dense(2)(a)});
  model.compile(SGD(0.1), MSE, {MeanAbsoluteError});
  const Logs logs = model.evaluate(d.a, {d.y, d.y});
  EXPECT_EQ(logs.names,
            (std::vector<std::string>{"loss", "dense_loss", "dense_1_loss",
                                      "dense_mean_absolute_error", "dense_1_mean_absolute_error"}));
  EXPECT_NEAR(logs["loss"], logs["dense_loss"] + logs["dense_1_loss"], few_roundings);
}

TEST(MultiIO, SeveralInputsOneOutput) {
  const Data d;
  const Symbol a = Input({3}), b = Input({2});
  auto model = Model({a, b}, Concat()({a, b}) | Dense(1));
  EXPECT_EQ(model.input_names(), (std::vector<std::string>{"input", "input_1"}));
  model.compile(Adam(0.05), MSE);
  const Tensor y = values({20, 1}, 9);
  const double before = model.evaluate({d.a, d.b}, y)["loss"];
  model.fit({d.a, d.b}, y, {.epochs = 20});
  EXPECT_LT(model.evaluate({d.a, d.b}, y)["loss"], before);
  const Tensor p = model.predict({d.a, d.b});
  EXPECT_EQ(p.shape(), Shape({20, 1}));
  // One sample without the batch axis.
  const Tensor one = model.predict({d.a[3], d.b[3]});
  EXPECT_EQ(one.shape(), Shape({1}));
  EXPECT_NEAR(one.item(), p.at({3, 0}), few_roundings);
}

TEST(MultiIO, ReportsSayWhatThereIs) {
  const Data d;
  auto model = two();
  const std::string summary = model.summary(8);
  EXPECT_NE(summary.find("z  "), std::string::npos) << summary;
  EXPECT_NE(summary.find("a training step of 8 samples"), std::string::npos) << summary;
  EXPECT_NE(model.memory_report(8).find("training, 8 samples"), std::string::npos);
  const std::string report =
      model.memory_report(Dataset({d.a, d.b}, {d.y, d.z}), {.batch_size = 8});
  EXPECT_NE(report.find("training, 4 samples"), std::string::npos) << report;
}

// ---- models as layers ----

TEST(Nested, AModelTwiceInOneSharesItsWeights) {
  const Symbol a = Input({3}), b = Input({3});
  auto tower = Sequential({Dense(4, Tanh), Dense(2)});
  const Layer layer = tower;
  auto model = Model({a, b}, layer(a) - layer(b));
  EXPECT_EQ(model.parameters(), 3 * 4 + 4 + 4 * 2 + 2);
  model.compile(SGD(0.1), MSE);
  const Tensor x = values({6, 3}, 1), y = values({6, 3}, 2), t = values({6, 2}, 3);
  const Tensor p = tower.predict(x), q = tower.predict(y), d = model.predict({x, y});
  for (i64 i = 0; i < d.size(); ++i) EXPECT_EQ(d.data()[i], p.data()[i] - q.data()[i]);
  model.train_on_batch({x, y}, t);
  EXPECT_FALSE(same_bits(tower.predict(x), p));
}

TEST(Nested, AModelWithSeveralEndsIsALayer) {
  const Data d;
  auto inner = two();
  const Symbol a = Input({3}), b = Input({2});
  const Layer layer = inner;
  const auto ends = layer.call_all({a, b});
  ASSERT_EQ(ends.size(), 2U);
  auto outer = Model({a, b}, {ends[1], ends[0]});
  const auto p = inner.predict_all({d.a, d.b}), q = outer.predict_all({d.a, d.b});
  EXPECT_TRUE(same_bits(p[0], q[1]));
  EXPECT_TRUE(same_bits(p[1], q[0]));
  EXPECT_THROW(layer({a, b}), GraphError);
  EXPECT_THROW(layer(a), GraphError);
}

/// Running statistics and added losses come along into the model around, in which they are of its
/// inputs.
TEST(Nested, AModelWithStatisticsOrLossesIsALayer) {
  const Tensor x = values({64, 3}, 1), y = values({64, 1}, 2);
  const auto trained = [&](auto make) {
    Model model = make();
    model.compile(Adam(0.01), MSE);
    model.fit(x, y, {.epochs = 3, .seed = 2});
    return model;
  };
  const Model nested = trained([] {
    auto body = Sequential({BatchNorm(), Dense(4, Tanh)});
    body.build({3});
    const Symbol in = Input({3});
    return Model(in, Dense(1)(Layer(body)(in)));
  });
  const Model flat = trained([] {
    auto model = Sequential({BatchNorm(), Dense(4, Tanh), Dense(1)});
    model.build({3});
    return model;
  });
  EXPECT_TRUE(nested.predict(x) == flat.predict(x));
  nested.save("nested_statistics.safetensors");
  EXPECT_TRUE(Model::load("nested_statistics.safetensors").predict(x) == nested.predict(x));
  std::filesystem::remove("nested_statistics.safetensors");

  auto experts = Sequential({MoE(4, 4, 2)});
  experts.build({3});
  auto model = Sequential({experts, Dense(1)});
  model.compile(Adam(0.01), MSE);
  EXPECT_TRUE(model.train_on_batch(x, y).has("moe/balance"));
}

/// What is around a layer freezes it: a model, a layer made of layers; also after loading.
TEST(Nested, FrozenFromAround) {
  const Tensor x = values({16, 3}, 1), y = values({16, 1}, 2);
  auto body = Sequential({Dense(4, Tanh)});
  body.build({3});
  Layer frozen = body;
  frozen.set_trainable(false);
  auto model = Sequential({frozen, Dense(1)});
  model.compile(SGD(0.1), MSE);
  const Tensor before = body.weights()[0].value.clone();
  model.fit(x, y, {.epochs = 1});
  EXPECT_TRUE(body.weights()[0].value == before);
  EXPECT_FALSE(model.weights()[0].trainable);
  model.save("frozen_from_around.safetensors");
  auto again = Model::load("frozen_from_around.safetensors");
  std::filesystem::remove("frozen_from_around.safetensors");
  again.fit(x, y, {.epochs = 1});
  EXPECT_TRUE(again.weights()[0].value == before);
  frozen.set_trainable(true);
  model.compile(SGD(0.1), MSE);
  model.fit(x, y, {.epochs = 1});
  EXPECT_FALSE(body.weights()[0].value == before);
}

TEST(Nested, IntermediateOutputsAlongsideTheLast) {
  const Tensor x = values({6, 5});
  auto model = mlp();
  model.build({5});
  const Model all(model.input(), {model.get_layer("dense").output(), model.output()});
  const auto p = all.predict_all(x);
  EXPECT_TRUE(same_bits(p[1], model.predict(x)));
  EXPECT_EQ(p[0].shape(), Shape({6, 8}));
}

// ---- what compile() can tell ----

TEST(Compile, RefusesAMetricOfALayerOutsideTheModel) {
  const Symbol in = Input({3});
  const Layer outside = Dense(2);
  Model model(in, Dense(1)(in));
  model.compile(SGD(0.1), MSE, {MeanOf("outside", outside(in))});
  try {
    model.fit(values({4, 3}), values({4, 1}), {.epochs = 1});
    FAIL() << "its weights have no memory";
  } catch (const GraphError& error) {
    EXPECT_NE(std::string(error.what()).find("is no part of the model"), std::string::npos);
  }
}

TEST(Compile, FindsWeightsThatTheLossCannotReach) {
  const Symbol x = Input({3});
  const Layer idle = Dense(2, {.name = "idle"});
  auto model = Model(x, {Dense(1, {.name = "y"})(x), idle(x)});
  const Loss forgetful("forgetful", [](Symbol t, Symbol) { return square(t); });
  const std::vector<OutputLoss> losses = {{"y", MSE}, {"idle", forgetful}};
  EXPECT_THROW(model.compile(SGD(0.1), losses), GraphError);
  EXPECT_THROW(model.evaluate(values({4, 3}), {values({4, 1}), values({4, 2})}), GraphError)
      << "not compiled";
  model.get_layer("idle").set_trainable(false);
  EXPECT_NO_THROW(model.compile(SGD(0.1), losses));
  EXPECT_NO_THROW(model.train_on_batch(values({4, 3}), {values({4, 1}), values({4, 2})}));
}

/// What only outputs without a loss are made of is not trained; what they share with others is.
TEST(Compile, WeightsOfOutputsWithoutALossStay) {
  const Symbol x = Input({3});
  const Symbol shared = Dense(4, {.name = "shared"})(x);
  auto model = Model(x, {Dense(1, {.name = "y"})(shared), Dense(2, {.name = "idle"})(shared)});
  model.compile(SGD(0.1), {{"y", MSE}});
  std::vector<Tensor> before;
  for (const Weight& weight : model.weights()) before.push_back(weight.value.clone());
  model.train_on_batch(values({4, 3}), values({4, 1}));
  for (size_t i = 0; i < before.size(); ++i) {
    const Weight now = model.weights()[i];
    const bool idle = now.name.starts_with("idle/");
    EXPECT_EQ(same_bits(now.value, before[i]), idle) << now.name;
    EXPECT_EQ(now.trainable, !idle) << now.name;
  }
  model.save("aside.safetensors");
  auto again = Model::load("aside.safetensors");
  std::filesystem::remove("aside.safetensors");
  again.train_on_batch(values({4, 3}), values({4, 1}));
  model.train_on_batch(values({4, 3}), values({4, 1}));
  for (size_t i = 0; i < before.size(); ++i)
    EXPECT_TRUE(same_bits(again.weights()[i].value, model.weights()[i].value)) << i;
  model.compile(SGD(0.1), MSE);
  EXPECT_TRUE(model.weights()[4].trainable) << model.weights()[4].name;
}

TEST(Compile, FrozenStatisticsOfOutputsWithoutALossStay) {
  const Symbol x = Input({3});
  Layer frozen = BatchNorm(), learning = BatchNorm();
  frozen.set_trainable(false);
  auto model = Model(x, {Dense(1, {.name = "y"})(x), frozen(x), learning(x)});
  model.compile(SGD(0.1), {{"y", MSE}});
  model.train_on_batch(values({4, 3}), values({4, 1}));
  EXPECT_TRUE(same_bits(frozen.weights()[2].value, Tensor(Shape{3})));
  EXPECT_FALSE(same_bits(learning.weights()[2].value, Tensor(Shape{3})));
}

/// A function that gives back its input, and a layer with a name, name what they are called on.
TEST(MultiIO, OutputsAreNamedByFunctionsToo) {
  const Symbol x = Input({3});
  const Symbol a = Dense(1)(x), b = Dense(1)(x);
  const Layer total("total", [](Symbol q) { return q; });
  const Model model(x, {total(a + b), Activate(Linear).named("left")(a), a + b});
  EXPECT_EQ(model.output_names(), (std::vector<std::string>{"total", "left", "output"}));
}

// Class indices were guessed; one-hot rows come: what was guessed leaves no trace.
TEST(Compile, AWrongGuessOfTheTargetsIsForgotten) {
  const std::string path = std::filesystem::temp_directory_path() / "goneuron_guess.safetensors";
  const Tensor x = values({6, 3});
  Tensor rows(Shape{6, 4});
  for (i64 i = 0; i < 6; ++i) rows.set({i, i % 4}, 1);
  const Symbol in = Input({3});
  auto model = Model(in, Dense(4, Softmax)(in));
  model.compile(Adam(0.01), CrossEntropy);
  model.train_on_batch(x, rows);
  model.save(path);
  auto again = Model::load(path);
  EXPECT_EQ(again.train_on_batch(x, rows).values, model.train_on_batch(x, rows).values);
  std::filesystem::remove(path);
}

TEST(Compile, WhatWasNeverTrainedIsLoadedAsCompiled) {
  const std::string path = std::filesystem::temp_directory_path() / "goneuron_fresh.safetensors";
  const Data d;
  auto model = two();
  model.save(path);
  auto again = Model::load(path);
  const Logs a = model.train_on_batch({d.a, d.b}, {d.y, d.z}),
             b = again.train_on_batch({d.a, d.b}, {d.y, d.z});
  EXPECT_EQ(a.names, b.names);
  EXPECT_EQ(a.values, b.values);
  expect_same_weights(model, again);
  std::filesystem::remove(path);
}

TEST(Compile, FreezingBeforeTheFirstStepStillCounts) {
  const Symbol x = Input({3});
  auto model = Model(x, Dense(4, {.name = "first"})(x) | Dense(1));
  model.compile(SGD(0.1), MSE);
  model.get_layer("first").set_trainable(false);
  const Tensor before = model.weights()[0].value.clone();
  model.train_on_batch(values({4, 3}), values({4, 1}, 2));
  EXPECT_TRUE(same_bits(model.weights()[0].value, before));
}

// A masked loss on one output and a plain one on the other: over batches of different counts, the
// total is made of each one's own mean.
TEST(MultiIO, MeansOverDifferentCounts) {
  const Symbol x = Input({3, 2});
  auto model =
      Model(x, {Dense(2, {.name = "y"})(x), Dense(4, {.activation = Softmax, .name = "z"})(x)});
  model.compile(SGD(0.1), {{"y", MSE}, {"z", CrossEntropy({.ignore_index = 3}), 0.25}}, {},
                {.seed = 7});
  const Tensor data = values({10, 3, 2}), y = values({10, 3, 2}, 4),
               z = labels(30, 4).reshape({10, 3});
  const auto p = model.predict_all(data);
  double entropy = 0, count = 0;
  for (i64 i = 0; i < 30; ++i) {
    const std::int32_t label = z.data<std::int32_t>()[i];
    if (label == 3) continue;
    entropy -= std::log(double{p[1].data()[i * 4 + label]});
    count += 1;
  }
  for (const i64 batch : {1, 4, 10}) {
    const Logs logs = model.evaluate(data, {y, z}, batch);
    EXPECT_EQ(logs.names, (std::vector<std::string>{"loss", "y_loss", "z_loss"}));
    EXPECT_NEAR(logs["z_loss"], entropy / count, 2 * few_roundings) << batch;
    EXPECT_NEAR(logs["loss"], mse_by_hand(y, p[0]) + 0.25 * entropy / count, 2 * few_roundings);
  }
}

}  // namespace
}  // namespace goneuron
