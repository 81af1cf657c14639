// Activations computed again to fit a budget: less memory, the same bits.
#include <gtest/gtest.h>

#include "goneuron/goneuron.h"
#include "train/footprint.h"

namespace goneuron {
namespace {

Tensor values(const Shape& shape, std::uint32_t stream) {
  Tensor all(shape);
  std::uint32_t state = stream * 2654435761U + 12345;
  for (i64 i = 0; i < all.size(); ++i) {
    state = state * 1664525U + 1013904223U;
    all.data()[i] = static_cast<float>(state >> 8) * 0x1p-24F - 0.5F;
  }
  return all;
}

struct Case {
  const char* name;
  Shape sample;
  std::vector<Layer> (*layers)();
  double share = 0.6;  // of the activations that the budget leaves
};

std::vector<Layer> dense_stack() {
  std::vector<Layer> layers;
  for (int i = 0; i < 10; ++i) {
    layers.push_back(Dense(192, i % 2 == 0 ? GELU : Tanh));
    if (i % 3 == 0) layers.push_back(Dropout(0.2));
  }
  layers.push_back(Dense(5));
  return layers;
}

Symbol residual(const Symbol& x) {
  const Symbol y = x | Conv2D(8, 3, {.padding = 1}) | BatchNorm() | ReLU |
                   Conv2D(8, 3, {.padding = 1}) | BatchNorm();
  return (x + y) | ReLU;
}

std::vector<Layer> residual_stack() {
  std::vector<Layer> layers = {Conv2D(8, 3, {.padding = 1})};
  for (int i = 0; i < 4; ++i) layers.emplace_back("block", residual);
  layers.push_back(GlobalAvgPool2D());
  layers.push_back(Dense(5));
  return layers;
}

/// Routing that is computed again must choose the same experts.
std::vector<Layer> mixture_stack() {
  std::vector<Layer> layers;
  for (int i = 0; i < 6; ++i) layers.push_back(ExpertFeedForward(96, 4, 2, {.z_loss = 0.01}));
  layers.push_back(Dense(5));
  return layers;
}

std::vector<Layer> transformer_stack() {
  std::vector<Layer> layers;
  for (int i = 0; i < 6; ++i)
    layers.push_back(TransformerBlock(4, 256, {.causal = true, .dropout = 0.1}));
  layers.insert(layers.end(), {CLSPooling(), Dense(5)});
  return layers;
}

constexpr i64 batch = 64;

struct Trained {
  std::vector<double> losses;
  std::vector<Weight> weights;
  i64 activations = 0, live = 0;
  std::string report;
};

Trained train(const Case& c, i64 budget) {
  auto model = Sequential(c.layers());
  model.build(c.sample);
  model.compile(Adam(0.01), MSE, {}, {.seed = 3, .activation_budget = budget});
  const Tensor x = values(c.sample.with_batch(batch), 1), y = values({batch, 5}, 2);
  Trained result;
  for (int step = 0; step < 5; ++step) result.losses.push_back(model.train_on_batch(x, y)["loss"]);
  result.weights = model.weights();
  const ExpectedStep step = expected_step(*model.impl(), batch);
  result.activations = step.plan->activation_bytes;
  result.live = step.plan->live_bytes;
  result.report = model.memory_report(batch);
  return result;
}

class Recomputed : public testing::TestWithParam<Case> {};

TEST_P(Recomputed, FitsTheBudgetWithTheSameBits) {
  const Trained free = train(GetParam(), 0);
  EXPECT_EQ(free.report.find("again"), std::string::npos);
  const i64 budget = static_cast<i64>(GetParam().share * static_cast<double>(free.activations));
  const Trained tight = train(GetParam(), budget);
  EXPECT_LE(tight.activations, budget);
  EXPECT_LE(static_cast<double>(tight.activations), 1.15 * static_cast<double>(tight.live));
  EXPECT_NE(tight.report.find("compute activations again"), std::string::npos) << tight.report;
  EXPECT_EQ(tight.losses, free.losses);
  ASSERT_EQ(tight.weights.size(), free.weights.size());
  for (size_t i = 0; i < free.weights.size(); ++i)
    EXPECT_TRUE(tight.weights[i].value == free.weights[i].value) << free.weights[i].name;
}

TEST_P(Recomputed, ABudgetThatIsLargeEnoughChangesNothing) {
  const Trained free = train(GetParam(), 0), wide = train(GetParam(), free.activations);
  EXPECT_EQ(wide.report, free.report);
}

TEST_P(Recomputed, ABudgetOutOfReachIsAnErrorThatSaysWhatCanBeReached) {
  try {
    train(GetParam(), 1000);
    FAIL() << "no error";
  } catch (const OutOfMemory& error) {
    EXPECT_NE(std::string(error.what()).find("expected at most the budget of 1000 B"),
              std::string::npos)
        << error.what();
  }
}

/// The gpt of `goneuron bench`: a quarter needs the last block's feed-forward layer computed again
/// twice, once for each of its gradients.
TEST(Recompute, AQuarterOfAGpt) {
  const auto step_of = [](i64 budget, i64& activations) {
    std::vector<Layer> layers = {Embedding(256, 256), PositionEmbedding(128)};
    for (int i = 0; i < 4; ++i) layers.push_back(TransformerBlock(8, 1024, {.causal = true}));
    layers.insert(layers.end(), {LayerNorm(), Dense(256, {.activation = Softmax, .bias = false})});
    auto model = Sequential(layers);
    model.build({128});
    model.compile(AdamW(0.001), CrossEntropy, {}, {.seed = 1, .activation_budget = budget});
    Tensor tokens({16, 128}, DType::i32);
    for (i64 i = 0; i < tokens.size(); ++i)
      tokens.data<std::int32_t>()[i] = static_cast<std::int32_t>(i * i % 251);
    std::vector<double> losses;
    for (int step = 0; step < 2; ++step)
      losses.push_back(model.train_on_batch(tokens, tokens)["loss"]);
    activations = expected_step(*model.impl(), 16).plan->activation_bytes;
    return losses;
  };
  i64 free = 0, tight = 0;
  const auto expected = step_of(0, free);
  EXPECT_EQ(step_of(free / 4, tight), expected);
  EXPECT_LE(tight, free / 4);
}

INSTANTIATE_TEST_SUITE_P(Models, Recomputed,
                         testing::Values(Case{"dense", {192}, dense_stack},
                                         Case{"residual", {12, 12, 3}, residual_stack},
                                         Case{"mixtures", {32}, mixture_stack},
                                         Case{"transformer", {48, 64}, transformer_stack, 0.33}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace goneuron
