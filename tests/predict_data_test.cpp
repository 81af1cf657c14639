// predict() of a data set: what predict() of its arrays gives, in the data set's order.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "error_text.h"
#include "model_testing.h"

namespace goneuron {
namespace {

TEST(PredictData, IsThatOfTheArraysHoweverItIsReadAndShuffled) {
  const Tensor x = values({103, 4});
  const Dataset data(x, labels(103, 3));
  const Model model = mlp();
  const Tensor want = model.predict(x);
  for (const int threads : {1, 3}) {
    set_threads(threads);
    for (const i64 batch : {i64{1}, i64{7}, i64{103}, i64{500}, i64{Any}})
      for (const Dataset& one :
           {data, data.shuffle(3), data.batch(10), data.prefetch(2).shuffle(4)})
        EXPECT_TRUE(same_bits(model.predict(one, batch), want)) << batch << ", " << threads;
  }
  set_threads(2);
}

TEST(PredictData, ChosenSamplesInTheirOrder) {
  const Tensor x = values({103, 4});
  const Dataset data(x, labels(103, 3));
  const Model model = mlp();
  const TrainTest parts = data.stratified_split(0.7, 5);
  EXPECT_TRUE(same_bits(model.predict(parts.test), model.predict(parts.test.arrays().x)));
  EXPECT_TRUE(same_bits(model.predict(data.take(5)), model.predict(x.slice(0, 5))));
}

TEST(PredictData, SamplesThatComeSeveralTimes) {
  const Tensor x = values({20, 4});
  const Dataset data(x, labels(20, 3));
  const Model model = mlp();
  for (const Dataset& one : {data.repeat(3), data.concat(data.take(7)), data.shard(1, 3),
                             data.balanced(2), data.weighted(Tensor(std::vector<float>(20, 0.5F)))})
    EXPECT_TRUE(same_bits(model.predict(one.shuffle(5), 6), model.predict(one.arrays().x)));
}

TEST(PredictData, WhatAMapThrowsArrivesAndTheModelStaysUsable) {
  const Dataset data(values({40, 4}), labels(40, 3));
  const Model model = mlp();
  const Tensor want = model.predict(data);
  int calls = 0;
  const Dataset broken = data.map([&](const Sample& sample) {
    if (++calls > 20) throw std::runtime_error("enough");
    return sample;
  });
  EXPECT_THROW(model.predict(broken, 8), std::exception);
  EXPECT_TRUE(same_bits(model.predict(data), want));
}

TEST(PredictData, FromSeveralThreadsAndBesideFit) {
  const Dataset data(values({600, 4}), labels(600, 3));
  const Model model = mlp();
  const Tensor want = model.predict(data);
  auto other = mlp(2);
  std::vector<Tensor> answers(3);
  std::vector<std::thread> threads;
  for (Tensor& answer : answers)
    threads.emplace_back([&] { answer = model.predict(data.prefetch(), 9); });
  other.fit(data, {.epochs = 5});
  for (std::thread& one : threads) one.join();
  for (const Tensor& answer : answers) EXPECT_TRUE(same_bits(answer, want));
}

TEST(PredictData, MapsComeFirst) {
  const Tensor x = values({40, 2}), twice = values({40, 4}, 2);
  const Dataset data = Dataset(x, labels(40, 3)).map([&](const Sample& sample) {
    Tensor wide(Shape{4});
    for (i64 i = 0; i < 4; ++i) wide.data()[i] = 2 * sample.x.at({i % 2});
    return Sample{wide, sample.y};
  });
  for (i64 i = 0; i < twice.size(); ++i)
    const_cast<float*>(twice.data())[i] = 2 * x.at({i / 4, i % 2});
  const Model model = mlp();
  EXPECT_TRUE(same_bits(model.predict(data.shuffle(1)), model.predict(twice)));
}

TEST(PredictData, FilesThatAreRead) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("goneuron_predict_data_" + std::to_string(::getpid()) + ".csv");
  std::ofstream file(path);
  file << "a,b,y\n";
  for (int i = 0; i < 5000; ++i) file << i << ',' << i % 7 << ".25," << i % 5 << ".5\n";
  file.close();
  const auto table = data::csv(path.string(), {.target = "y", .memory = 1 << 14});
  ASSERT_FALSE(table.in_memory);
  const auto model = Sequential({Dense(3, Tanh), Dense(1)});
  const Tensor got = model.predict(table.data.shuffle(9));  // which builds it
  EXPECT_TRUE(same_bits(got, model.predict(table.data.arrays().x)));
  EXPECT_TRUE(same_bits(got, model.predict(table)));
  EXPECT_TRUE(same_bits(got, model.predict(table.data, 3000)));
  EXPECT_FALSE(same_bits(got.slice(0, 9), got.slice(9, 18)));
  std::filesystem::remove(path);
}

TEST(PredictData, SeveralInputsAndOutputs) {
  const Symbol a = Input({3}, {.name = "a"}), b = Input({2}, {.name = "b"});
  const Symbol both = concat({a, b}, -1);
  const Model two({a, b}, {Dense(2)(both), Dense(4, Tanh)(both)});
  const Tensor left = values({30, 3}), right = values({30, 2}, 5);
  const auto want = two.predict_all({left, right});
  const Dataset data({{"b", right}, {"a", left}}, {labels(30, 3)});
  const auto got = two.predict_all(data.shuffle(2), 8);
  ASSERT_EQ(got.size(), 2U);
  EXPECT_TRUE(same_bits(got[0], want[0]));
  EXPECT_TRUE(same_bits(got[1], want[1]));
  const Model one({a, b}, Dense(2)(both));
  EXPECT_TRUE(same_bits(one.predict({left, right}), one.predict(data)));  // {a, b}: two inputs
  expect_contains(message_of<GraphError>([&] { two.predict(data); }), {"2 outputs", "predict_all"});
}

TEST(PredictData, Buckets) {
  std::vector<Tensor> sequences;
  for (const i64 length : {5, 12, 3, 9, 12, 1}) sequences.push_back(values({length, 2}, 3));
  const Dataset data = data::buckets(sequences, values({6}), {.lengths = {5, 12}});
  const Symbol x = Input({Any, 2}), mask = Input({Any});
  const Symbol steps = Dense(3)(x), counted = steps * expand_dims(mask, 2);
  const Model pooled({x, mask}, sum(counted, {1}));
  const Tensor got = pooled.predict(data.shuffle(7), 2);
  ASSERT_EQ(got.shape(), Shape({6, 3}));
  for (size_t i = 0; i < sequences.size(); ++i) {
    const i64 length = sequences[i].shape()[0];
    const Tensor want =
        pooled.predict({sequences[i], Tensor(std::vector<float>(static_cast<size_t>(length), 1))});
    for (i64 k = 0; k < 3; ++k)
      EXPECT_NEAR(got.at({static_cast<i64>(i), k}), want.at({k}), 1e-5) << i;
  }
  const Model each({x, mask}, counted);
  expect_contains(message_of<DataError>([&] { each.predict(data); }),
                  {"predict", "[5, 3]", "[12, 3]", "one shape"});
}

TEST(PredictData, ABadIndexIsFoundWhereItIsInTheData) {
  Tensor tokens(Shape{50, 4}, DType::i32);
  tokens.set({37, 2}, 9);
  const Model model = Sequential({Embedding(9, 2), Flatten(), Dense(1)});
  const Dataset data(tokens, Tensor(Shape{50, 1}));
  for (const i64 batch : {8, 50})
    expect_contains(message_of<DataError>([&] { model.predict(data.shuffle(11), batch); }),
                    {"predict()", "the token 9 in row 37, position 2 of the data"});
}

TEST(PredictData, WhatDoesNotFitIsSaid) {
  const Model model = mlp();
  const Tensor x = values({10, 4});
  model.predict(x);
  expect_contains(message_of<ShapeError>([&] {
                    model.predict(Dataset(values({10, 5}), labels(10, 3)));
                  }),
                  {"predict", "5"});
  expect_contains(message_of<DataError>([&] { model.predict(Dataset()); }), {"no samples"});
  expect_contains(message_of<GraphError>([&] { model.predict(Dataset(x, labels(10, 3)), 0); }),
                  {"batch size of 0"});
  expect_contains(message_of<DataError>([&] {
                    model.predict(Dataset({x, x}, {labels(10, 3)}));
                  }),
                  {"predict", "2 inputs"});
}

}  // namespace
}  // namespace goneuron
