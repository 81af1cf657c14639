// The norms, and the layers over sequences: their contract, closed forms, models that are trained,
// saved and loaded, and tokens outside the vocabulary.
#include <gtest/gtest.h>

#include <filesystem>

#include "check_layer.h"
#include "graph/evaluate.h"
#include "graph/initialize.h"
#include "model_testing.h"

namespace goneuron {
namespace {

TEST(SequenceLayers, Contracts) {
  const std::vector<std::string> both = {"weight", "bias"};
  check_layer(LayerNorm(), {{7, 3}, {7, 3}, 6, both});
  check_layer(LayerNorm({.scale = false}), {{5}, {5}, 5, {"bias"}});
  check_layer(LayerNorm({.shift = false}), {{5}, {5}, 5, {"weight"}});
  check_layer(LayerNorm({.scale = false, .shift = false}), {{5}, {5}, 0});
  check_layer(RMSNorm(), {{7, 3}, {7, 3}, 3, {"weight"}});
  check_layer(RMSNorm({.scale = false}), {{Any, 3}, {Any, 3}, 0});
  check_layer(GroupNorm(2), {{5, 4, 6}, {5, 4, 6}, 12, both});
  check_layer(GroupNorm(6, {.shift = false}), {{Any, 6}, {Any, 6}, 6, {"weight"}});
  check_layer(PositionEmbedding(9), {{7, 3}, {7, 3}, 27, {"weight"}});
  check_layer(PositionEmbedding(9), {{Any, 3}, {Any, 3}, 27, {"weight"}});
  check_layer(SinusoidalPositions(), {{Any, 3}, {Any, 3}});
  check_layer(GlobalAveragePooling1D(), {{7, 3}, {3}, 0});
  check_layer(GlobalAveragePooling1D(), {{Any, 3}, {3}, 0});
  check_layer(CLSPooling(), {{Any, 3}, {3}, 0});
  check_layer(GlobalAttention(), {{Any, 3}, {3}, 15, {"weight", "bias", "query"}});
  check_layer(GlobalAttention({.units = 5}), {{7, 3}, {3}, 25, {"weight", "bias", "query"}});
  check_layer(Embedding(11, 3), {{7}, {7, 3}, 33, {"weight"}, DType::i32});
  check_layer(Embedding(11, 3), {{Any, 2}, {Any, 2, 3}, 33, {"weight"}, DType::i32});
  check_layer(Embedding(11, 3), {{}, {3}, 33, {"weight"}, DType::i32});
}

Tensor tokens(const Shape& shape, std::int32_t below) {
  Tensor out(shape, DType::i32);
  for (i64 i = 0; i < out.size(); ++i)
    out.data<std::int32_t>()[i] = static_cast<std::int32_t>(i * 7 % 11 % below);
  return out;
}

TEST(Embedding, GivesTheTablesRows) {
  auto model = Sequential({Embedding(5, 3)});
  model.build({4});
  EXPECT_EQ(model.input().dtype(), DType::i32);
  const Tensor table = model.weights()[0].value, x = tokens({6, 4}, 5), y = model.predict(x);
  for (i64 r = 0; r < 6; ++r)
    for (i64 t = 0; t < 4; ++t)
      for (i64 j = 0; j < 3; ++j)
        EXPECT_EQ(y.at({r, t, j}), table.at({static_cast<i64>(x.at({r, t})), j}));
}

TEST(Embedding, StartsNormal) {
  auto model = Sequential({Embedding(1000, 20)});
  model.build({4});
  const Tensor table = model.weights()[0].value;
  double mean = 0, square = 0;
  for (i64 i = 0; i < table.size(); ++i) {
    mean += table.data()[i] / 20000.0;
    square += table.data()[i] * table.data()[i] / 20000.0;
  }
  EXPECT_NEAR(mean, 0, 0.04);  // five standard errors
  EXPECT_NEAR(square, 1, 0.05);
}

/// One step of SGD on the mean of the outputs' squares, by hand: a token's row moves by the sum
/// over its places, others stay.
TEST(Embedding, LearnsTheTokensThatOccur) {
  auto model = Sequential({Embedding(6, 2)});
  model.compile(SGD(0.5), MSE, {}, {.seed = 3});
  model.build({3});
  const Tensor before = model.weights()[0].value.clone(), zeros(Shape{2, 3, 2});
  Tensor x(Shape{2, 3}, DType::i32);
  const std::int32_t wanted[] = {1, 4, 1, 0, 1, 4};
  std::copy(std::begin(wanted), std::end(wanted), x.data<std::int32_t>());
  model.train_on_batch(x, zeros);
  const Tensor after = model.weights()[0].value;
  for (i64 v = 0; v < 6; ++v)
    for (i64 j = 0; j < 2; ++j) {
      const auto places = static_cast<double>(std::count(std::begin(wanted), std::end(wanted), v));
      EXPECT_NEAR(after.at({v, j}), before.at({v, j}) * (1 - 0.5 * 2 * places / 12), few_roundings)
          << v << ", " << j;
    }
}

/// Padding may hold anything finite; a sequence without a step gives zeros.
TEST(Pooling, MasksKeepPaddingOut) {
  for (const Layer& pool : {GlobalAveragePooling1D(), GlobalAttention()}) {
    const Symbol x = Input({Any, 3}), mask = Input({Any}), y = pool({x, mask}), plain = pool(x);
    EXPECT_EQ(y.shape().str(), "[batch, 3]");
    for (const auto& variable : pool.impl()->variables) {
      variable->value = Tensor(variable->type.shape);
      initialize(*variable, 1, 0);
    }
    const Tensor full = values({2, 5, 3});
    Tensor padded = full.clone(), on(Shape{2, 5});
    for (i64 t = 0; t < 5; ++t) on.set({0, t}, t < 3 ? 1 : 0);
    for (i64 t = 3; t < 5; ++t)
      for (i64 j = 0; j < 3; ++j) padded.set({0, t, j}, 1e6);
    StepScalars scalars;
    const Tensor got = evaluate({y}, {{x, padded}, {mask, on}}, DType::f32, scalars)[0];
    Tensor first(Shape{1, 3, 3});
    std::copy_n(full.data(), 9, first.data());
    const Tensor want = evaluate({plain}, {{x, first}}, DType::f32, scalars)[0];
    for (i64 j = 0; j < 3; ++j) {
      EXPECT_NEAR(got.at({0, j}), want.at({0, j}), few_roundings);
      EXPECT_EQ(got.at({1, j}), 0) << "no step counts";
    }
  }
}

TEST(TimeDistributed, IsTheLayerOnEachStep) {
  const Layer conv = Conv2D(4, 3, ReLU);
  auto model = Sequential({TimeDistributed(conv), TimeDistributed(Flatten()), BatchNorm()});
  model.build({6, 5, 4, 2});
  EXPECT_EQ(model.output().shape().str(), "[batch, 6, 24]");
  const Symbol frame = Input({5, 4, 2});
  Model one(frame, frame | conv | Flatten());
  const Tensor film = values({3, 6, 5, 4, 2});
  Model steps(model.input(), TimeDistributed(Flatten())(model.layers()[0].output()));
  const Tensor all = steps.predict(film), each = one.predict(film.reshape({18, 5, 4, 2}));
  EXPECT_TRUE(same_bits(all.reshape({18, 24}), each));
}

TEST(TimeDistributed, TakesTokensAndAnyLength) {
  auto model = Sequential({TimeDistributed(Embedding(7, 2)), TimeDistributed(Flatten())});
  model.build({Any, 3});
  EXPECT_EQ(model.input().dtype(), DType::i32);
  EXPECT_EQ(model.output().shape().str(), "[batch, any, 6]");
}

/// Two lengths through one model, and every pooling layer trained, saved and loaded.
TEST(SequenceModels, PoolTrainSaveAndLoad) {
  const Symbol x = Input({4}, DType::i32);
  const Symbol h = x | Embedding(7, 6) | SinusoidalPositions() | TimeDistributed(Dense(6, Tanh));
  const Symbol y =
      concat({h | GlobalAveragePooling1D(), h | CLSPooling(), h | GlobalAttention(), max(h, {1}),
              gather(h, constant(Tensor(std::vector<std::int32_t>{3}))) | Flatten()});
  Model model(x, y | Dense(3, Softmax));
  model.compile(Adam(0.01), CrossEntropy, {}, {.seed = 1});
  const Tensor data = tokens({11, 4}, 7), wanted = labels(11, 3);  // no two rows are alike
  const auto history = model.fit(data, wanted, {.epochs = 60, .batch_size = 8});
  EXPECT_LT(history["loss"].back(), 0.5 * history["loss"].front());
  const std::string path = std::filesystem::temp_directory_path() / "goneuron_pools.safetensors";
  model.save(path);
  auto again = Model::load(path);
  EXPECT_TRUE(same_bits(again.predict(data), model.predict(data)));
  for (Model* one : {&model, &again}) one->fit(data, wanted, {.epochs = 1, .batch_size = 8});
  expect_same_weights(model, again);
  std::filesystem::remove(path);
}

/// A layer from a file, put first in another model, still takes tokens.
TEST(SequenceModels, LoadedEmbeddingsAreLayersAgain) {
  auto model = Sequential({Embedding(7, 4), Flatten()});
  model.build({3});
  const std::string path = std::filesystem::temp_directory_path() / "goneuron_table.safetensors";
  model.save(path);
  auto loaded = Model::load(path);
  auto other = Sequential({loaded.get_layer("embedding"), GlobalAveragePooling1D()});
  other.build({3});
  EXPECT_EQ(other.input().dtype(), DType::i32);
  EXPECT_EQ(other.predict(tokens({2, 3}, 7)).shape().str(), "[2, 4]");
  std::filesystem::remove(path);
}

Model tagger() {
  auto model =
      Sequential({Embedding(7, 8), PositionEmbedding(5), LayerNorm(), Dense(8, Tanh), RMSNorm(),
                  SinusoidalPositions(), GroupNorm(2), Flatten(), Dense(3, Softmax)});
  model.compile(Adam(0.01), CrossEntropy, {Accuracy}, {.seed = 1});
  return model;
}

TEST(SequenceModels, TrainSaveAndLoad) {
  auto model = tagger();
  const Tensor x = tokens({20, 5}, 7), y = labels(20, 3);
  model.fit(x, y, {.epochs = 2, .batch_size = 8});
  const std::string path = std::filesystem::temp_directory_path() / "goneuron_sequence.safetensors";
  model.save(path);
  auto again = Model::load(path);
  EXPECT_EQ(again.input().dtype(), DType::i32);
  EXPECT_TRUE(same_bits(again.predict(x), model.predict(x)));
  for (Model* one : {&model, &again}) one->fit(x, y, {.epochs = 1, .batch_size = 8});
  expect_same_weights(model, again);
  std::filesystem::remove(path);
}

TEST(SequenceModels, ABadTokenChangesNothing) {
  for (const std::int32_t bad : {7, -1}) {
    auto model = tagger();
    const Tensor y = labels(20, 3);
    model.fit(tokens({20, 5}, 7), y, {.epochs = 1, .batch_size = 8});
    auto other = tagger();
    other.fit(tokens({20, 5}, 7), y, {.epochs = 1, .batch_size = 8});
    Tensor x = tokens({20, 5}, 7);
    x.set({13, 4}, bad);
    const std::string wanted =
        "the token " + std::to_string(bad) + " in row 13, position 4 of the data; expected 0 to 6";
    for (const auto& act : std::vector<std::function<void()>>{
             [&] { model.train_on_batch(x, y); }, [&] { model.predict(x, 3); },
             [&] { model.evaluate(x, y, 4); }, [&] { model.fit(x, y, {.batch_size = 20}); }}) {
      try {
        act();
        ADD_FAILURE() << "no error";
      } catch (const DataError& error) {
        EXPECT_NE(std::string(error.what()).find(wanted), std::string::npos) << error.what();
        EXPECT_NE(std::string(error.what()).find("Embedding \"embedding\""), std::string::npos);
      }
    }
    expect_same_weights(model, other);
    EXPECT_TRUE(same_bits(model.predict(tokens({20, 5}, 7)), other.predict(tokens({20, 5}, 7))));
  }
}

TEST(SequenceModels, AModelOfTokensIsALayerOfTokens) {
  auto inner = Sequential({Embedding(7, 4)});
  auto model = Sequential({inner, Flatten(), Dense(2)});
  model.build({3});
  EXPECT_EQ(model.input().dtype(), DType::i32);
  EXPECT_EQ(model.predict(tokens({2, 3}, 7)).shape().str(), "[2, 2]");
}

/// Vaswani et al. 2017, section 3.5, in double.
TEST(SinusoidalPositions, AreSinesAndCosines) {
  auto model = Sequential({SinusoidalPositions()});
  model.build({50, 6});
  const Tensor x = values({2, 50, 6}), y = model.predict(x);
  for (i64 b = 0; b < 2; ++b)
    for (i64 t = 0; t < 50; ++t)
      for (i64 k = 0; k < 3; ++k) {
        const double angle =
            static_cast<double>(t) / std::pow(10000, 2.0 * static_cast<double>(k) / 6);
        EXPECT_NEAR(y.at({b, t, 2 * k}), x.at({b, t, 2 * k}) + std::sin(angle), few_roundings);
        EXPECT_NEAR(y.at({b, t, 2 * k + 1}), x.at({b, t, 2 * k + 1}) + std::cos(angle),
                    few_roundings);
      }
}

}  // namespace
}  // namespace goneuron
