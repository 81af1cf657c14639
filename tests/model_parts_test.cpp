// Parts of models: layers by name, weights read, set, frozen, shared and cloned, models made of
// others, and functions of the user's own as layers, losses and metrics.
#include <filesystem>

#include "model_testing.h"

namespace goneuron {
namespace {

TEST(Model, LayersByName) {
  auto model = Sequential({Dense(4), ReLU, Dense(4), Dense(2).named("head")});
  EXPECT_EQ(model.layers().size(), 4U);
  model.build({3});
  EXPECT_EQ(model.get_layer("dense").weights()[0].value.shape(), Shape({3, 4}));
  EXPECT_EQ(model.get_layer("dense_1").weights()[0].name, "dense_1/weight");
  EXPECT_EQ(model.get_layer("head").weights()[1].value.shape(), Shape({2}));
  try {
    model.get_layer("dense_7");
    FAIL();
  } catch (const GraphError& error) {
    const std::string text = error.what();
    for (const char* part :
         {"\"dense_7\"", "\"dense\"", "\"dense_1\"", "\"head\"", "model_parts_test.cpp"})
      EXPECT_NE(text.find(part), std::string::npos) << text;
  }
}

TEST(Model, FrozenLayersStay) {
  const Tensor x = values({12, 5}), y = labels(12, 3);
  auto model = mlp();
  model.build({5});
  Layer first = model.get_layer("dense");
  first.set_trainable(false);
  EXPECT_FALSE(model.weights()[0].trainable);
  EXPECT_TRUE(model.weights()[2].trainable);
  model.compile(Adam(0.01), CrossEntropy);
  const Tensor w0 = model.weights()[0].value.clone(), w1 = model.weights()[1].value.clone(),
               w2 = model.weights()[2].value.clone();
  model.fit(x, y, {.epochs = 2, .batch_size = 4});
  EXPECT_TRUE(same_bits(model.weights()[0].value, w0));
  EXPECT_TRUE(same_bits(model.weights()[1].value, w1));
  EXPECT_FALSE(same_bits(model.weights()[2].value, w2));
  first.set_trainable(true);
  model.compile(Adam(0.01), CrossEntropy);
  model.fit(x, y, {.batch_size = 4});
  EXPECT_FALSE(same_bits(model.weights()[0].value, w0));
}

/// As Keras': a frozen batch norm is the function of its running statistics that it is in
/// inference.
TEST(Model, AFrozenBatchNormIsThatOfInference) {
  const Tensor x = values({24, 3}, 1), y = values({24, 1}, 2);
  const std::vector<Tensor> held = {values({4}, 3), values({4}, 4), values({4}, 5),
                                    Tensor(std::vector<float>{0.5F, 2, 1.5F, 0.25F})};
  Layer norm = BatchNorm({.epsilon = 1e-3});
  auto model = Sequential({Dense(4, Tanh), norm, Dense(1)});
  model.build({3});
  norm.set_weights(held);
  norm.set_trainable(false);
  auto plain = Sequential({Dense(4, Tanh),
                           Layer("normal",
                                 [&](Symbol s) {
                                   return (s - constant(held[2])) / sqrt(constant(held[3]) + 1e-3) *
                                              constant(held[0]) +
                                          constant(held[1]);
                                 }),
                           Dense(1)});
  plain.build({3});
  plain.layers()[0].set_weights(
      {model.weights()[0].value.clone(), model.weights()[1].value.clone()});
  plain.layers()[2].set_weights(
      {model.weights()[6].value.clone(), model.weights()[7].value.clone()});
  for (Model* one : {&model, &plain}) {
    one->compile(SGD(0.1, {.momentum = 0.9}), MSE);
    one->fit(x, y, {.epochs = 5, .batch_size = 5, .seed = 3});  // the last batch is of four
  }
  for (size_t i = 0; i < 4; ++i)
    EXPECT_TRUE(same_bits(norm.weights()[i].value, held[i])) << norm.weights()[i].name;
  // 25 steps of the same arithmetic in another order.
  const Tensor p = model.predict(x), q = plain.predict(x);
  for (i64 i = 0; i < 24; ++i) EXPECT_NEAR(p.at({i, 0}), q.at({i, 0}), 1e-5);
  norm.set_trainable(true);
  model.compile(SGD(0.1), MSE);
  model.fit(x, y, {.epochs = 1});
  for (size_t i = 0; i < 4; ++i)
    EXPECT_FALSE(same_bits(norm.weights()[i].value, held[i])) << norm.weights()[i].name;
}

/// Also over accumulated batches, beside one that learns, and with plans of several shapes.
TEST(Model, OnlyFrozenBatchNormsKeepTheirStatistics) {
  const Tensor x = values({24, 3}, 1), y = values({24, 3}, 2);
  Layer frozen = BatchNorm(), learning = BatchNorm();
  frozen.set_trainable(false);
  auto model = Sequential({frozen, ReLU, learning});
  model.compile(Adam(0.01), MSE);
  model.fit(x, y, {.epochs = 2, .batch_size = 5, .accumulate = 2});
  model.fit(x, y, {.epochs = 1, .batch_size = 7});
  EXPECT_TRUE(same_bits(frozen.weights()[2].value, Tensor(Shape{3})));
  EXPECT_FALSE(same_bits(learning.weights()[2].value, Tensor(Shape{3})));
  // Also where only a metric that a layer adds reads it.
  Layer logged = BatchNorm();
  logged.set_trainable(false);
  const Layer looks("looks", [&](Symbol s) {
    add_metric("size", mean(square(logged(s))));
    return s;
  });
  auto looked_at = Sequential({Dense(3), looks});
  looked_at.compile(SGD(0.1), MSE);
  looked_at.fit(x, y, {.epochs = 1});
  EXPECT_TRUE(same_bits(logged.weights()[2].value, Tensor(Shape{3})));
  // Frozen after compile() it takes effect with the next: the step in use stays as it was planned.
  learning.set_trainable(false);
  const Tensor before = learning.weights()[2].value.clone();
  model.fit(x, y, {.epochs = 1, .batch_size = 6});
  EXPECT_FALSE(same_bits(learning.weights()[2].value, before));
}

TEST(Model, SeedsDrawTheWeightsOfABuiltModel) {
  const Tensor x = values({24, 3}, 1), y = values({24, 2}, 2);
  const auto functional = [] {
    const Symbol in = Input({3});
    return Model(in, Dense(2)(Dense(4, Tanh)(in)));
  };
  const auto sequential = [] { return Sequential({Dense(4, Tanh), Dense(2)}); };
  const auto first = [&](Model model, std::uint64_t seed) {
    model.compile(SGD(0.1), MSE, {}, {.seed = seed});
    return model.predict(x);
  };
  EXPECT_FALSE(same_bits(first(functional(), 8), first(functional(), 9)));
  EXPECT_TRUE(same_bits(first(functional(), 8), first(sequential(), 8)));

  auto model = functional();
  Layer last = model.layers()[1];
  last.set_weights({values({4, 2}, 7), values({2}, 8)});
  model.compile(SGD(0.1), MSE, {}, {.seed = 8});
  EXPECT_TRUE(same_bits(last.weights()[0].value, values({4, 2}, 7))) << "it was set";
  EXPECT_TRUE(same_bits(model.weights()[0].value,
                        [&] {
                          auto other = functional();
                          other.compile(SGD(0.1), MSE, {}, {.seed = 8});
                          return other.weights()[0].value;
                        }()))
      << "it was not";
  // Random features that were frozen through a training stay what they were.
  model.layers()[0].set_trainable(false);
  model.compile(SGD(0.1), MSE, {}, {.seed = 8});
  model.fit(x, y, {.epochs = 1});
  const Tensor features = model.weights()[0].value.clone();
  model.compile(SGD(0.1), MSE, {}, {.seed = 9});
  EXPECT_TRUE(same_bits(model.weights()[0].value, features));
  // What is set or loaded stays, also where its bits are those of the draw.
  auto twin = functional(), student = functional();
  std::vector<Tensor> same;
  for (const Weight& weight : twin.layers()[0].weights()) same.push_back(weight.value.clone());
  student.layers()[0].set_weights(same);
  student.compile(SGD(0.1), MSE, {}, {.seed = 9});
  EXPECT_TRUE(same_bits(student.weights()[0].value, same[0]));
  EXPECT_FALSE(same_bits(student.weights()[2].value, twin.weights()[2].value));
  twin.save_weights("twin.safetensors");
  auto reader = functional();
  reader.load_weights("twin.safetensors");
  std::filesystem::remove("twin.safetensors");
  reader.compile(SGD(0.1), MSE, {}, {.seed = 9});
  EXPECT_TRUE(same_bits(reader.predict(x), twin.predict(x)));
  // Without a seed nothing is drawn; with one, what another model has drawn stays.
  student.compile(Adam(0.1), MSE);
  EXPECT_FALSE(same_bits(student.weights()[2].value, twin.weights()[2].value));
  auto encoder = Sequential({Dense(4, Tanh)});
  encoder.build({3});
  const Tensor codes = encoder.predict(x);
  auto whole = Sequential({Dense(3), encoder, Dense(2)});
  whole.build({3});
  whole.compile(SGD(0.1), MSE, {}, {.seed = 9});
  EXPECT_TRUE(same_bits(encoder.predict(x), codes));
  auto blank = functional();
  blank.save("blank.safetensors");
  auto loaded = Model::load("blank.safetensors");
  std::filesystem::remove("blank.safetensors");
  loaded.compile(SGD(0.1), MSE, {}, {.seed = 9});
  EXPECT_TRUE(same_bits(loaded.predict(x), blank.predict(x)));
}

TEST(Model, WeightsReadAndSet) {
  auto model = mlp();
  EXPECT_THROW(model.get_layer("dense"), GraphError) << "no names before it is built";
  model.build({2});
  Layer head = model.get_layer("dense_1");
  Tensor weight(Shape{8, 3}), bias(std::vector<float>{1, 2, 4});
  head.set_weights({weight, bias});
  // Zero weights: the softmax of the bias, whatever the input.
  const Tensor p = model.predict(values({3, 2}));
  const double total = std::exp(1.0) + std::exp(2.0) + std::exp(4.0);
  for (i64 i = 0; i < 3; ++i) {
    EXPECT_NEAR(p.at({i, 0}), std::exp(1.0) / total, few_roundings);
    EXPECT_NEAR(p.at({i, 2}), std::exp(4.0) / total, few_roundings);
  }
  // What weights() gives is the model's own memory.
  model.weights()[3].value.set({2}, 1);
  EXPECT_NEAR(model.predict(values({1, 2})).at({0, 2}),
              std::exp(1.0) / (2 * std::exp(1.0) + std::exp(2.0)), few_roundings);
  bias.set({0}, 50);
  EXPECT_EQ(head.weights()[1].value.at({0}), 1) << "set_weights copies";
  EXPECT_THROW(head.set_weights({weight}), ShapeError);
  EXPECT_THROW(head.set_weights({weight, Tensor(Shape{4})}), ShapeError);
  EXPECT_THROW(head.set_weights({weight, bias.to(DType::f64)}), ShapeError);
  EXPECT_THROW(Dense(3).set_weights({weight, bias}), GraphError);
}

TEST(Model, IntermediateOutputsAreModels) {
  const Tensor x = values({6, 5}), y = labels(6, 3);
  auto model = mlp();
  model.build({5});
  const Model hidden(model.input(), model.get_layer("dense").output());
  for (int pass = 0; pass < 2; ++pass) {
    const Tensor h = hidden.predict(x);
    ASSERT_EQ(h.shape(), Shape({6, 8}));
    const auto w = model.weights();
    for (i64 i = 0; i < 6; ++i) {
      std::vector<double> row;
      for (i64 k = 0; k < 5; ++k) row.push_back(x.at({i, k}));
      const auto sums = dense(row, w[0].value, w[1].value);
      for (i64 j = 0; j < 8; ++j)
        EXPECT_NEAR(h.at({i, j}), std::tanh(sums[static_cast<size_t>(j)]), few_roundings);
    }
    model.fit(x, y, {.epochs = 2});  // the weights are shared: it follows
  }
}

// w used twice: p = w^2 x; L = (w^2 x - y)^2; dL/dw = 2 (w^2 x - y) 2 w x.
TEST(Model, ASharedLayerGetsBothGradients) {
  const Layer twice = Dense(1, {.bias = false, .weight_init = Constant(1.5)});
  const Symbol in = Input({1});
  auto model = Model(in, twice(twice(in)));
  EXPECT_EQ(model.parameters(), 1);
  EXPECT_EQ(model.layers().size(), 1U);
  model.compile(SGD(0.0625), MSE);
  double w = 1.5;
  for (int step = 0; step < 4; ++step) {
    const double e = w * w * 0.5 - 2;
    const Logs logs = model.train_on_batch(Tensor(std::vector<float>{0.5}, Shape{1, 1}),
                                           Tensor(std::vector<float>{2}, Shape{1, 1}));
    EXPECT_NEAR(logs["loss"], e * e, few_roundings);
    w -= 0.0625 * 2 * e * 2 * w * 0.5;
    EXPECT_NEAR(model.weights()[0].value.item(), w, few_roundings);
  }
}

TEST(Model, AModelAsALayerSharesItsWeights) {
  auto base = Sequential({Dense(4, Tanh)});
  base.build({3});
  auto whole = Sequential({base, Dense(2)});
  whole.compile(SGD(0.5), MSE);
  const Tensor x = values({5, 3});
  whole.build({3});
  EXPECT_EQ(whole.parameters(), 3 * 4 + 4 + 4 * 2 + 2);
  const Tensor before = base.predict(x);
  whole.train_on_batch(x, values({5, 2}, 8));
  EXPECT_FALSE(same_bits(base.predict(x), before));
  const Model front(whole.input(), whole.get_layer("model").output());
  EXPECT_TRUE(same_bits(front.predict(x), base.predict(x)));
}

TEST(Model, ModelsJoinedInOneKeepTheirNamesWhereTheyCan) {
  auto a = Sequential({Dense(4)}), b = Sequential({Dense(4), Dense(4).named("mine")});
  a.build({3});
  b.build({4});
  auto whole = Sequential({Dense(3), a, b});
  whole.build({3});
  std::vector<std::string> names;
  for (const Layer& layer : whole.layers()) names.push_back(layer.name());
  EXPECT_EQ(names,
            (std::vector<std::string>{"dense_1", "dense", "model", "dense_2", "model_1", "mine"}));
  EXPECT_NO_THROW(a.get_layer("dense"));
  auto clash = Sequential({Dense(4).named("mine"), b});
  EXPECT_THROW(clash.build({4}), GraphError);
}

TEST(Model, ClonesHaveWeightsOfTheirOwn) {
  const Tensor x = values({5, 3}), y = values({5, 2}, 8);
  Layer original = Dense(2);
  auto model = Sequential({original});
  model.compile(SGD(0.5), MSE);
  model.build({3});
  const Layer copy = original.clone();
  auto other = Sequential({copy});
  EXPECT_TRUE(same_bits(other.predict(x), model.predict(x)));
  const Tensor before = other.predict(x);
  model.train_on_batch(x, y);
  EXPECT_FALSE(same_bits(model.predict(x), before));
  EXPECT_TRUE(same_bits(other.predict(x), before));
  // Before it is built, a clone is a layer that starts on its own.
  const Layer blank = Dense(2);
  const Symbol in = Input({3});
  EXPECT_EQ(Model(in, blank(in) + blank.clone()(in)).parameters(), 2 * (3 * 2 + 2));
  EXPECT_THROW(Layer(model).clone(), GraphError) << "its weights would be shared";
}

/// Whichever handle: the weights, and what is frozen, are the model's.
TEST(Model, AModelAsALayerIsReadSetAndFrozen) {
  const Tensor x = values({12, 3}), y = values({12, 1}, 8);
  auto body = Sequential({Dense(2, Tanh), BatchNorm()});
  Layer(body).set_trainable(false);  // before it is built
  EXPECT_FALSE(Layer(body).trainable());
  body.build({3});
  Layer layer = body;
  ASSERT_EQ(layer.weights().size(), 6U);
  EXPECT_FALSE(layer.weights()[0].trainable);
  std::vector<Tensor> set;
  for (const Weight& weight : layer.weights()) set.push_back(values(weight.value.shape(), 3));
  set[5] = Tensor(std::vector<float>{0.5F, 2});  // variances
  layer.set_weights(set);
  auto model = Sequential({body, Dense(1)});
  model.compile(SGD(0.1), MSE);
  model.fit(x, y, {.epochs = 1});
  for (size_t i = 0; i < set.size(); ++i)
    EXPECT_TRUE(same_bits(body.weights()[i].value, set[i])) << body.weights()[i].name;
  body.set_trainable(true);
  body.layers()[1].set_trainable(false);
  model.compile(SGD(0.1), MSE);
  model.fit(x, y, {.epochs = 1});
  EXPECT_FALSE(same_bits(body.weights()[0].value, set[0]));
  EXPECT_TRUE(same_bits(body.weights()[4].value, set[4]));
  EXPECT_TRUE(Layer(body).trainable());

  // So it is after loading.
  Layer(body).set_trainable(false);
  model.compile(SGD(0.1), MSE);
  model.save("parts.safetensors");
  auto again = Model::load("parts.safetensors");
  std::filesystem::remove("parts.safetensors");
  Layer part = again.get_layer("model");
  EXPECT_EQ(part.weights().size(), 6U);
  EXPECT_FALSE(part.trainable());
  part.set_trainable(true);
  again.compile(SGD(0.1), MSE);
  const Tensor before = again.weights()[0].value.clone();
  again.fit(x, y, {.epochs = 1});
  EXPECT_FALSE(same_bits(again.weights()[0].value, before));
}

TEST(Model, LossesAndMetricsOfOnesOwnGetTargetsInThePredictionsShape) {
  const Tensor x = values({20, 3}), y = values({20}, 4);
  auto model = Sequential({Dense(1)});
  const auto l1 = [](const Symbol& t, const Symbol& p) { return abs(t - p); };
  model.compile(SGD(0.1), Loss("l1", l1), {Metric("mine", l1), MeanAbsoluteError});
  const Logs flat = model.evaluate(x, y), rows = model.evaluate(x, y.reshape({20, 1}));
  EXPECT_EQ(flat["loss"], rows["loss"]);
  EXPECT_EQ(flat["mine"], flat["mean_absolute_error"]);
  const Tensor p = model.predict(x);
  double sum = 0;
  for (i64 i = 0; i < 20; ++i) sum += std::abs(y.at({i}) - p.at({i, 0}));
  EXPECT_NEAR(flat["loss"], sum / 20, 1e-6);
}

// ---- functions of the user's own ----

TEST(Model, CustomLayersLossesAndMetrics) {
  const Tensor x = values({10, 3}), y = values({10, 2}, 5);
  auto own = Sequential({Dense(2), Layer("swish", [](Symbol s) { return s * Sigmoid(s); })});
  auto known = Sequential({Dense(2), SiLU});
  own.compile(SGD(0.1), Loss("squares", [](Symbol t, Symbol p) { return mean(square(p - t)); }),
              {Metric("absolute", [](Symbol t, Symbol p) { return mean(abs(t - p)); })});
  known.compile(SGD(0.1), MSE, {MeanAbsoluteError});
  for (int step = 0; step < 5; ++step) {
    const Logs a = own.train_on_batch(x, y), b = known.train_on_batch(x, y);
    EXPECT_NEAR(a["loss"], b["loss"], few_roundings);
    EXPECT_NEAR(a["absolute"], b["mean_absolute_error"], few_roundings);
  }
  EXPECT_NEAR(own.evaluate(x, y)["absolute"], known.evaluate(x, y)["mean_absolute_error"],
              few_roundings);
  for (size_t i = 0; i < 2; ++i)
    for (i64 k = 0; k < own.weights()[i].value.size(); ++k)
      EXPECT_NEAR(own.weights()[i].value.data()[k], known.weights()[i].value.data()[k],
                  few_roundings);
}

TEST(Model, ACustomLayerMayHoldLayersAndTakeSeveralInputs) {
  const Layer inner = Dense(3);
  const Layer gate("gate",
                   [inner](const std::vector<Symbol>& s) { return Sigmoid(inner(s[0])) * s[1]; });
  const Symbol in = Input({3});
  auto model = Model(in, gate({in, in}));
  EXPECT_EQ(model.parameters(), 12);
  const Tensor x = values({4, 3});
  const Tensor p = model.predict(x);
  const auto w = model.weights();
  for (i64 i = 0; i < 4; ++i) {
    std::vector<double> row;
    for (i64 k = 0; k < 3; ++k) row.push_back(x.at({i, k}));
    const auto sums = dense(row, w[0].value, w[1].value);
    for (i64 j = 0; j < 3; ++j)
      EXPECT_NEAR(p.at({i, j}), x.at({i, j}) / (1 + std::exp(-sums[static_cast<size_t>(j)])),
                  few_roundings);
  }
}

TEST(Model, ALossOfOneNumberASampleOrMore) {
  const Tensor x = values({10, 3}), y = values({10, 2}, 5);
  // Not reduced: the mean over everything is taken.
  auto rows = Sequential({Dense(2)}), all = Sequential({Dense(2)});
  rows.compile(SGD(0.1), Loss("rows", [](Symbol t, Symbol p) { return mean(square(p - t)); }));
  all.compile(SGD(0.1), Loss("all", [](Symbol t, Symbol p) { return square(p - t); }));
  for (int step = 0; step < 3; ++step)
    EXPECT_NEAR(rows.train_on_batch(x, y)["loss"], all.train_on_batch(x, y)["loss"], few_roundings);
}

TEST(Model, AnOutputHasTheBatchFirst) {
  const Symbol in = Input({3});
  for (const Symbol& output : {sum(in, {0, 1}), constant(Tensor(Shape{3, 4})), sum(in, {0}, true)})
    try {
      Model(in, output);
      ADD_FAILURE() << output.shape().str();
    } catch (const ShapeError& error) {
      const std::string text = error.what();
      for (const std::string& part :
           {output.shape().str(), std::string("batch"), std::string("hint")})
        EXPECT_NE(text.find(part), std::string::npos) << text;
    }
}

}  // namespace
}  // namespace goneuron
