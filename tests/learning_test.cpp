// Learning: XOR from any start, and a line whose coefficients are known.
#include <goneuron/goneuron.h>
#include <gtest/gtest.h>

namespace goneuron {
namespace {

TEST(Learning, XorFromTwentySeeds) {
  const Tensor x{{0, 0}, {0, 1}, {1, 0}, {1, 1}}, y{{0}, {1}, {1}, {0}};
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    auto model = Sequential({Dense(8, Tanh), Dense(1, Sigmoid)});
    model.compile(Adam(0.05), BinaryCrossEntropy, {Accuracy}, {.seed = seed});
    const History history = model.fit(x, y, {.epochs = 400, .batch_size = 4, .seed = seed});
    EXPECT_EQ(model.evaluate(x, y)["accuracy"], 1) << "seed " << seed;
    EXPECT_LT(history["loss"].back(), 0.1) << "seed " << seed;
    const Tensor p = model.predict(x);
    for (i64 i = 0; i < 4; ++i)
      EXPECT_EQ(p.at({i, 0}) > 0.5, y.at({i, 0}) > 0.5) << "seed " << seed << ", row " << i;
  }
}

// Two classes at the output, class indices as targets, small batches in another order each epoch.
TEST(Learning, XorAsTwoClassesInShuffledBatches) {
  const Tensor x{{0, 0}, {0, 1}, {1, 0}, {1, 1}};
  const Tensor y(std::vector<std::int32_t>{0, 1, 1, 0});
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    auto model = Sequential({Dense(8, Tanh), Dense(2, Softmax)});
    model.compile(SGD(0.2, {.momentum = 0.9}), CrossEntropy, {Accuracy}, {.seed = seed});
    model.fit(x, y, {.epochs = 300, .batch_size = 2, .seed = seed});
    EXPECT_EQ(model.predict(x).argmax(), y) << "seed " << seed;
  }
}

// Least squares without noise has one answer: the coefficients the data was made with.
TEST(Learning, ALineIsFound) {
  Tensor x(Shape{64, 3}), y(Shape{64, 1});
  std::uint32_t state = 1;
  for (i64 i = 0; i < 64; ++i) {
    for (i64 j = 0; j < 3; ++j) {
      state = state * 1664525U + 1013904223U;
      x.set({i, j}, static_cast<double>(state >> 8) * 0x1p-23 - 1);
    }
    y.set({i, 0}, 2 * x.at({i, 0}) - 3 * x.at({i, 1}) + 0.5 * x.at({i, 2}) + 1);
  }
  auto model = Sequential({Dense(1)});
  model.compile(SGD(0.3), MSE);
  model.fit(x, y, {.epochs = 200, .batch_size = 16});
  const auto w = model.weights();
  const double expected[] = {2, -3, 0.5, 1};
  // The targets are rounded to f32: 1e-7 each, and the updates end at that size.
  for (i64 j = 0; j < 3; ++j) EXPECT_NEAR(w[0].value.at({j, 0}), expected[j], 1e-5);
  EXPECT_NEAR(w[1].value.at({0}), expected[3], 1e-5);
}

}  // namespace
}  // namespace goneuron
