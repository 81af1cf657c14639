// Mixtures of experts as parts of models: what they compute at the edges, use of all experts, logs,
// files. Their values are compared with PyTorch's in golden_layers_test and golden_moe_test.
#include <filesystem>

#include "model_testing.h"

namespace goneuron {
namespace {

template <class... A>
concept MoETakes = requires(A... a) {
  MoE(a...);
};
static_assert(MoETakes<int, int, int> && MoETakes<i64, int, int, MoEOptions>);
static_assert(!MoETakes<int> && !MoETakes<int, int> && !MoETakes<int, int, int, int>);
static_assert(!MoETakes<int, int, int, ExpertOptions> && !MoETakes<int, int, int, Activation>);
template <class... A>
concept ExpertsTake = requires(A... a) {
  ExpertFeedForward(a...);
};
static_assert(ExpertsTake<int, int, int> && ExpertsTake<int, int, int, ExpertOptions>);
static_assert(!ExpertsTake<int, int> && !ExpertsTake<int, int, int, MoEOptions>);

/// In [-1, 1), and 1 in the last column.
Tensor points(i64 count, i64 width, std::uint32_t seed = 1) {
  Tensor x(Shape{count, width});
  for (i64 i = 0; i < x.size(); ++i) {
    seed = seed * 1664525U + 1013904223U;
    x.data()[i] = i % width == width - 1
                      ? 1.0F
                      : static_cast<float>(static_cast<double>(seed >> 8) * 0x1p-23 - 1);
  }
  return x;
}

/// Weights in which every token prefers expert `favourite` by far, by the last column of points().
Tensor partial_router(i64 width, i64 experts, i64 favourite, float preference) {
  Tensor router(Shape{width, experts});
  for (i64 i = 0; i < router.size(); ++i)
    router.data()[i] = static_cast<float>((i * 37 + 11) % 19) / 190.0F;
  router.set({width - 1, favourite}, preference);
  return router;
}

// One expert, and experts that are all used by all: Dense layers that can be written out.
TEST(MoE, OfOneExpertIsADenseLayer) {
  const Tensor x = points(50, 6);
  auto mixture = Sequential({MoE(9, 1, 1, {.activation = Tanh})});
  auto dense = Sequential({Dense(9, Tanh)});
  mixture.build({6});
  dense.build({6});
  const auto weights = mixture.layers().at(0).weights();
  dense.layers().at(0).set_weights(
      {weights[1].value.reshape({6, 9}), weights[2].value.reshape({9})});
  EXPECT_TRUE(mixture.predict(x) == dense.predict(x));
}

// No token is dropped: all go to the same two experts of eight, and each gets what it would get
// alone.
TEST(MoE, DropsNoTokenHoweverUneven) {
  const Tensor x = points(300, 5);
  auto model = Sequential({MoE(7, 8, 2)});
  model.build({5});
  const Layer layer = model.layers().at(0);
  const auto before = layer.weights();
  Tensor router = partial_router(5, 8, 3, 9);
  router.set({4, 6}, 8);
  Layer(layer).set_weights({router, before[1].value.clone(), before[2].value.clone()});
  const Tensor together = model.predict(x);
  EXPECT_TRUE(together == model.predict(x, 1));
  EXPECT_TRUE(together == model.predict(x, 7));
  const Tensor weights = Model(model.input(), expert_weights(layer)).predict(x);
  for (i64 i = 0; i < 300; ++i) {
    double sum = 0;
    for (i64 e = 0; e < 8; ++e) sum += weights.at({i, e});
    EXPECT_NEAR(sum, 1, 3 * few_roundings);
    EXPECT_GT(weights.at({i, 3}), 0);
    EXPECT_GT(weights.at({i, 6}), 0);
    for (i64 j = 0; j < 7; ++j) {
      double want = 0;
      for (const i64 e : {3, 6}) {
        double y = before[2].value.at({e, j});
        for (i64 k = 0; k < 5; ++k) y += x.at({i, k}) * before[1].value.at({e, k, j});
        want += weights.at({i, e}) * y;
      }
      EXPECT_NEAR(together.at({i, j}), want, 10 * few_roundings);
    }
  }
}

Model uneven(double balance, double z_loss = 0) {
  auto model = Sequential(
      {MoE(16, 4, 1,
           {.activation = Tanh, .normalize = false, .balance = balance, .z_loss = z_loss}),
       Dense(1)});
  model.compile(Adam(0.01), MSE);
  model.build({4});
  const auto weights = model.layers().at(0).weights();
  model.layers().at(0).set_weights(
      {partial_router(4, 4, 2, 3), weights[1].value.clone(), weights[2].value.clone()});
  return model;
}

Tensor waves(const Tensor& x) {
  Tensor y(Shape{x.shape()[0], 1});
  for (i64 i = 0; i < y.size(); ++i)
    y.data()[i] = static_cast<float>(std::sin(3 * x.at({i, 0})) * x.at({i, 1}));
  return y;
}

// From a router that sends everything to one expert: the balancing loss brings all four into use.
// Without it they stay unused, so it is the loss that does it.
TEST(MoE, BalancingBringsAllExpertsIntoUse) {
  const Tensor x = points(512, 4), y = waves(x);
  auto balanced = uneven(0.1), plain = uneven(0);
  EXPECT_EQ(balanced.evaluate(x, y)["moe/most"], 1);
  EXPECT_EQ(balanced.evaluate(x, y)["moe/least"], 0);
  balanced.fit(x, y, {.epochs = 60, .batch_size = 64});
  plain.fit(x, y, {.epochs = 60, .batch_size = 64});
  const Logs after = balanced.evaluate(x, y);
  EXPECT_GT(after["moe/least"], 0.15);
  EXPECT_LT(after["moe/most"], 0.4);
  EXPECT_LT(after["moe/balance"], 1.1);
  EXPECT_EQ(plain.evaluate(x, y)["moe/least"], 0);
  EXPECT_LT(after["loss"] - 0.1 * after["moe/balance"], 0.05);
}

/// The z-loss draws logits to 0: the mean of logsumexp^2 falls below that without it.
TEST(MoE, ZLossKeepsLogitsSmall) {
  const Tensor x = points(512, 4), y = waves(x);
  auto with = uneven(0.1, 0.1);
  const double before = with.evaluate(x, y)["moe/z"];
  with.fit(x, y, {.epochs = 30, .batch_size = 64});
  EXPECT_LT(with.evaluate(x, y)["moe/z"], before / 2);
}

TEST(MoE, LogsWhatWasAskedFor) {
  const Tensor x = points(64, 4), y(Shape{64, 3});
  auto model = Sequential({MoE(8, 3, 1, {.z_loss = 0.1, .log_experts = true, .name = "first"}),
                           MoE(3, 5, 2, {.balance = 0})});
  model.compile(Adam(0.001), MSE);
  const Logs logs = model.train_on_batch(x, y);
  EXPECT_EQ(logs.names, (std::vector<std::string>{"loss", "first/balance", "first/z", "first/most",
                                                  "first/least", "first/expert_0", "first/expert_1",
                                                  "first/expert_2", "moe/most", "moe/least"}));
  const double shares[] = {logs["first/expert_0"], logs["first/expert_1"], logs["first/expert_2"]};
  EXPECT_NEAR(shares[0] + shares[1] + shares[2], 1, few_roundings);
  EXPECT_EQ(logs["first/most"], *std::max_element(shares, shares + 3));
  EXPECT_EQ(logs["first/least"], *std::min_element(shares, shares + 3));
  EXPECT_GE(logs["moe/most"], 0.2);
  EXPECT_LE(logs["moe/most"], 0.5);  // a token uses two different experts
}

/// The balancing loss is one of the whole batch: expert use of all tokens, of all samples.
TEST(MoE, BalancesOverTheWholeBatch) {
  const Tensor x = points(64, 4), y(Shape{64, 3});
  auto flat = Sequential({MoE(3, 4, 2)}), tokens = Sequential({MoE(3, 4, 2)});
  flat.compile(SGD(0.1), MSE);
  tokens.compile(SGD(0.1), MSE);
  flat.build({4});
  tokens.build({8, 4});
  std::vector<Tensor> weights;
  for (const Weight& weight : flat.weights()) weights.push_back(weight.value.clone());
  tokens.layers().at(0).set_weights(weights);
  const Logs a = flat.train_on_batch(x, y),
             b = tokens.train_on_batch(x.reshape({8, 8, 4}), y.reshape({8, 8, 3}));
  ASSERT_EQ(a.names, b.names);
  for (const std::string& name : a.names) EXPECT_NEAR(a[name], b[name], few_roundings) << name;
  for (size_t i = 0; i < weights.size(); ++i)
    for (i64 e = 0; e < weights[i].size(); ++e)
      EXPECT_NEAR(flat.weights()[i].value.data()[e], tokens.weights()[i].value.data()[e],
                  few_roundings);
}

Model pair_of_mixtures(Arithmetic precision = F32) {
  auto model = Sequential({ExpertFeedForward(24, 4, 2, {.activation = SwiGLU}),
                           MoE(16, 4, 2, {.z_loss = 0.01}), Dense(1)});
  model.compile(Adam(0.01), MSE, {}, {.seed = 3, .precision = precision});
  return model;
}

TEST(MoE, SavedAndLoadedGoesOnWithTheSameBits) {
  const Tensor x = points(128, 4), y = waves(x);
  const std::string path = testing::TempDir() + "goneuron_moe.safetensors";
  auto model = pair_of_mixtures();
  model.fit(x, y, {.epochs = 2});
  model.save(path);
  auto again = Model::load(path);
  std::filesystem::remove(path);
  EXPECT_TRUE(again.predict(x) == model.predict(x));
  const Layer mine = model.get_layer("moe"), its = again.get_layer("moe");
  EXPECT_TRUE(Model(model.input(), expert_weights(mine)).predict(x) ==
              Model(again.input(), expert_weights(its)).predict(x));
  const History a = model.fit(x, y, {.epochs = 2}), b = again.fit(x, y, {.epochs = 2});
  for (const char* name : {"loss", "moe/balance", "moe/z", "moe/most"})
    EXPECT_EQ(a[name], b[name]) << name;
  EXPECT_TRUE(again.predict(x) == model.predict(x));

  // A layer from a file, called again: its first call replayed, losses included.
  auto reused = Sequential({its, Dense(1)});
  reused.compile(SGD(0.01), MSE);
  EXPECT_TRUE(reused.train_on_batch(x, y).has("moe/balance"));
}

TEST(MoE, LearnsInBf16) {
  const Tensor x = points(512, 4), y = waves(x);
  auto model = pair_of_mixtures(BF16);
  model.fit(x, y, {.epochs = 40, .batch_size = 64});
  EXPECT_LT(model.evaluate(x, y)["loss"], 0.05);
}

TEST(MoE, RefusesABatchWithNaN) {
  auto model = pair_of_mixtures();
  Tensor x = points(16, 4);
  model.train_on_batch(x, waves(x));
  const Tensor before = model.predict(points(16, 4));
  x.set({3, 1}, std::nan(""));
  EXPECT_THROW(model.train_on_batch(x, Tensor(Shape{16, 1})), DataError);
  EXPECT_TRUE(model.predict(points(16, 4)) == before);
}

}  // namespace
}  // namespace goneuron
