// What belongs to training beyond an optimizer's arithmetic: accumulation equals the large batch,
// averages of weights, groups and freezing, files that continue with the same bits, all of it on
// any number of workers.
#include <cstdio>

#include "model_testing.h"

namespace goneuron {
namespace {

constexpr i64 samples = 96;

Dataset data(i64 count = samples) { return {values({count, 8}, 3), values({count, 3}, 5)}; }

Model network(const Optimizer& optimizer, const CompileOptions& options = {.seed = 2}) {
  auto model = Sequential({Dense(16, Tanh), Dense(3)});
  model.build({8});
  model.compile(optimizer, MSE, {}, options);
  return model;
}

/// With batch norms and dropout, and everything on that this test is about.
Model everything() {
  auto model = Sequential(
      {Dense(64), BatchNorm(), ReLU, Dropout(0.2), Dense(48, {.activation = Tanh}), Dense(3)});
  model.build({8});
  model.compile(AdamW(WarmupCosine(0.01, 3, 40, {.end = 0.001}),
                      {.weight_decay = 0.1,
                       .decay_norms_and_biases = false,
                       .global_clip_norm = 0.1,
                       .groups = {{"dense_1/*", {.learning_rate_scale = 0.5}},
                                  {"dense_2/bias", {.trainable = false}}}}),
                MSE, {}, {.seed = 2, .ema = 0.9});
  return model;
}
const FitOptions everything_options{.epochs = 2, .batch_size = 10, .seed = 3, .accumulate = 3};

std::vector<Tensor> copies(const Model& model) {
  std::vector<Tensor> all;
  for (const Weight& weight : model.weights()) all.push_back(weight.value.clone());
  return all;
}
void expect_bits(const Model& model, const std::vector<Tensor>& want) {
  const auto weights = model.weights();
  ASSERT_EQ(weights.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i)
    EXPECT_TRUE(same_bits(weights[i].value, want[i])) << weights[i].name;
}
double largest_difference(const Model& a, const Model& b) {
  double most = 0;
  const auto left = a.weights(), right = b.weights();
  for (size_t i = 0; i < left.size(); ++i)
    for (i64 e = 0; e < left[i].value.size(); ++e)
      most = std::max(
          most, std::fabs(double{left[i].value.data()[e]} - double{right[i].value.data()[e]}));
  return most;
}

/// SGD keeps differences of rounding as small as they are: sums of at most 96 terms below 1, added
/// in another order, through two layers.
TEST(Accumulation, EqualsTheLargeBatch) {
  for (const i64 batch : {8, 16, 48})
    for (const double clip : {0.0, 0.05}) {
      const Optimizer optimizer = SGD(0.1, {.momentum = 0.9, .global_clip_norm = clip});
      auto large = network(optimizer), small = network(optimizer), other = network(optimizer);
      large.fit(data(), {.epochs = 3, .batch_size = 48, .shuffle = false});
      small.fit(data(),
                {.epochs = 3, .batch_size = batch, .shuffle = false, .accumulate = 48 / batch});
      other.fit(data(), {.epochs = 3, .batch_size = batch == 48 ? 24 : batch, .shuffle = false});
      EXPECT_LE(largest_difference(large, small), few_roundings) << batch;
      EXPECT_GT(largest_difference(large, other), 1e-3) << batch;
    }
}

/// Small whole numbers, powers of two for all that divides, and a loss that is linear in the
/// weights: no sum rounds, whatever its order, so the bits are the same. 40 samples in batches of
/// 4, by 4: groups of 16, 16 and 8.
TEST(Accumulation, HasTheBitsOfTheLargeBatchWhereNothingRounds) {
  const auto make = [] {
    auto model = Sequential({Dense(4)});
    model.build({8});
    model.compile(SGD(0.5, {.momentum = 0.5}),
                  Loss("weighted", [](Symbol y, Symbol prediction) { return y * prediction; }));
    model.layers().at(0).set_weights({Tensor(Shape{8, 4}), Tensor(Shape{4})});
    return model;
  };
  constexpr i64 count = 40;
  Tensor x(Shape{count, 8}), y(Shape{count, 4});
  for (i64 i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i * 7 % 9 - 4);
  for (i64 i = 0; i < y.size(); ++i) y.data()[i] = static_cast<float>(i * 5 % 7 - 3);
  auto large = make(), small = make();
  large.fit(x, y, {.epochs = 2, .batch_size = 16, .shuffle = false});
  small.fit(x, y, {.epochs = 2, .batch_size = 4, .shuffle = false, .accumulate = 4});
  expect_same_weights(large, small);
  EXPECT_NE(small.weights()[1].value.data()[0], 0);
}

/// Dropout draws by the sample's place in the whole batch.
TEST(Accumulation, DropsWhatTheLargeBatchDrops) {
  const auto make = [] {
    auto model = Sequential({Dense(16, Tanh), Dropout(0.5), Dense(3)});
    model.build({8});
    model.compile(SGD(0.1), MSE, {}, {.seed = 2});
    return model;
  };
  auto large = make(), small = make();
  large.fit(data(), {.epochs = 2, .batch_size = 48, .shuffle = false, .seed = 9});
  small.fit(data(), {.epochs = 2, .batch_size = 12, .shuffle = false, .seed = 9, .accumulate = 4});
  EXPECT_LE(largest_difference(large, small), few_roundings);
}

/// The last group has what is left: 100 samples in batches of 10 by 4 are 40, 40 and 20.
TEST(Accumulation, TheLastGroupHasItsOwnDenominator) {
  auto large = network(SGD(0.1)), small = network(SGD(0.1));
  large.fit(data(100), {.batch_size = 40, .shuffle = false});
  small.fit(data(100), {.batch_size = 10, .shuffle = false, .accumulate = 4});
  EXPECT_LE(largest_difference(large, small), few_roundings);
}

/// Running statistics take each batch; with other batches between two updates they are others.
TEST(Accumulation, BatchNormsSeeEachBatch) {
  const auto mean_after = [](i64 accumulate) {
    auto model = Sequential({BatchNorm({.momentum = 0.5}), Dense(3)});
    model.build({8});
    model.compile(SGD(0.1), MSE);
    model.fit(data(24), {.batch_size = 8, .shuffle = false, .accumulate = accumulate});
    for (const Weight& weight : model.weights())
      if (weight.name == "batch_norm/running_mean") return weight.value.clone();
    throw std::runtime_error("no running mean");
  };
  EXPECT_TRUE(same_bits(mean_after(1), mean_after(3)));
}

TEST(Averages, AreWhatTheFormulaSays) {
  constexpr double momentum = 0.8;
  auto model = network(SGD(0.1), {.seed = 2, .ema = momentum});
  std::vector<double> average;
  for (int step = 0; step < 5; ++step) {
    const Sample batch = data(16).arrays();
    model.train_on_batch(batch.x, batch.y);
    const Tensor weight = model.weights()[0].value;
    average.resize(static_cast<size_t>(weight.size()));
    for (size_t i = 0; i < average.size(); ++i) {
      const double now = weight.data()[i];
      average[i] = step == 0 ? now : momentum * average[i] + (1 - momentum) * now;
    }
  }
  const auto trained = copies(model);
  {
    const AveragedWeights averaged(model);
    EXPECT_TRUE(model.uses_averaged_weights());
    const float* values = model.weights()[0].value.data();
    for (size_t i = 0; i < average.size(); ++i)  // five roundings of numbers below 1
      EXPECT_NEAR(values[i], average[i], 5 * 0x1p-24);
    EXPECT_FALSE(same_bits(model.weights()[0].value, trained[0]));
  }
  EXPECT_FALSE(model.uses_averaged_weights());
  expect_bits(model, trained);
}

TEST(Averages, DoNotDisturbTraining) {
  auto plain = network(Adam(0.01)), averaging = network(Adam(0.01), {.seed = 2, .ema = 0.99});
  plain.fit(data(), {.epochs = 2});
  averaging.fit(data(), {.epochs = 1});
  {
    const AveragedWeights averaged(averaging);
    averaging.evaluate(data());
  }
  averaging.fit(data(), {.epochs = 1});
  expect_same_weights(plain, averaging);
}

/// The names of updated weights in the table of steps, and what the step computes.
bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
i64 count(const std::string& text, const std::string& part) {
  i64 found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(Steps, HaveNothingOfWhatIsOff) {
  auto model = network(Adam(0.01));
  model.fit(data(32), {.batch_size = 32});
  const std::string text = model.summary(32);
  for (const char* op : {"sum_squares", "clip_scale", "ema_update", "accumulate"})
    EXPECT_FALSE(has(text, op)) << op;
  EXPECT_EQ(count(text, "adam_update"), 4);
  auto on = network(Adam(0.01, {.global_clip_norm = 1}), {.ema = 0.9});
  on.fit(data(32), {.batch_size = 32});
  const std::string more = on.summary(32);
  EXPECT_EQ(count(more, "sum_squares"), 4);
  EXPECT_EQ(count(more, "clip_scale"), 1);
  EXPECT_EQ(count(more, "ema_update"), 4);
}

/// No gradient of a frozen weight is computed, nor any that only its layer needs.
TEST(Freezing, ComputesNoGradients) {
  const auto steps = [](Model model) {
    model.fit(data(32), {.batch_size = 32});
    return model.summary(32);
  };
  auto by_layer = Sequential({Dense(16, Tanh), Dense(3)});
  by_layer.build({8});
  by_layer.layers().at(0).set_trainable(false);
  by_layer.compile(Adam(0.01), MSE);
  const std::string all = steps(network(Adam(0.01)));
  const std::string by_group =
      steps(network(Adam(0.01, {.groups = {{"dense/*", {.trainable = false}}}})));
  EXPECT_TRUE(has(all, "tanh_grad"));
  EXPECT_EQ(count(all, " matmul "), 3) << all;  // two weights' gradients, one input's
  for (const std::string& text : {steps(by_layer), by_group}) {
    EXPECT_FALSE(has(text, "tanh_grad")) << text;
    EXPECT_EQ(count(text, " matmul "), 1) << text;
    EXPECT_EQ(count(text, "adam_update"), 2);
  }
}

TEST(Groups, TheFirstThatAWeightFitsHasIt) {
  const GroupOptions stays{.learning_rate_scale = 0};
  auto model = network(SGD(0.1, {.groups = {{"*/bias", stays}, {"dense/*", {}}, {"*", stays}}}));
  const auto before = copies(model);
  model.fit(data(), {.epochs = 1});
  for (size_t i = 0; i < before.size(); ++i) {
    const Weight weight = model.weights()[i];
    EXPECT_EQ(same_bits(weight.value, before[i]), weight.name != "dense/weight") << weight.name;
  }
}

TEST(Groups, FreezeInWeightsToo) {
  const auto model = network(SGD(0.1, {.groups = {{"dense/*", {.trainable = false}}}}));
  for (const Weight& weight : model.weights())
    EXPECT_EQ(weight.trainable, weight.name.rfind("dense_1/", 0) == 0) << weight.name;
}

TEST(Schedules, AreLoggedAndRead) {
  auto model = network(SGD(StepDecay(0.5, 6, 0.5)));
  EXPECT_EQ(model.learning_rate(), 0.5);
  const auto history = model.fit(data(), {.epochs = 2, .batch_size = 16});
  EXPECT_EQ(history["learning_rate"], (std::vector<double>{0.5, 0.25}));
  EXPECT_EQ(model.learning_rate(), 0.125);  // of update 12
  EXPECT_FALSE(model.evaluate(data()).has("learning_rate"));
  model.set_schedule(0.75);
  EXPECT_EQ(model.learning_rate(), 0.75);
  model.set_learning_rate(0.25);
  EXPECT_EQ(model.learning_rate(), 0.25);
}

/// A rate of 0.0001 is not 0.0001 to four places only.
TEST(Schedules, AreReadableInTheLog) {
  auto model = network(SGD(ExponentialDecay(0.000125, 0.5, {.decay_steps = 4})));
  testing::internal::CaptureStdout();
  model.fit(data(16), {.epochs = 1, .batch_size = 16, .callbacks = {Logger(1)}});
  const std::string line = testing::internal::GetCapturedStdout();
  EXPECT_NE(line.find("  learning_rate 1.250e-04"), std::string::npos) << line;
}

class Everything : public testing::Test {
 protected:
  void TearDown() override { set_threads(0); }
};

TEST_F(Everything, AnyNumberOfWorkers) {
  std::vector<Tensor> want, averages;
  for (const int workers : {1, 2, 3, 5}) {
    set_threads(workers);
    for (const bool prefetch : {false, true}) {
      auto model = everything();
      model.fit(data().prefetch(prefetch), everything_options);
      if (want.empty()) want = copies(model);
      expect_bits(model, want);
      const AveragedWeights averaged(model);
      if (averages.empty()) averages = copies(model);
      expect_bits(model, averages);
    }
  }
}

TEST_F(Everything, SavedAndLoadedContinuesWithTheSameBits) {
  const std::string path = testing::TempDir() + "goneuron_optim.safetensors";
  auto whole = everything(), half = everything();
  FitOptions once = everything_options;
  once.epochs = 1;
  half.memory_report(data(), once);  // a look ahead leaves nothing that a file would keep
  half.fit(data(), once);
  half.save(path);
  auto again = Model::load(path);
  again.fit(data(), once);
  whole.fit(data(), everything_options);
  EXPECT_EQ(again.learning_rate(), whole.learning_rate());
  const auto find = [&](const std::string& name) {
    for (const Weight& weight : again.weights())
      if (weight.name == name) return weight.value;
    throw std::runtime_error("no " + name);
  };
  for (const bool averaged : {false, true}) {
    whole.use_averaged_weights(averaged);
    again.use_averaged_weights(averaged);
    for (const Weight& weight : whole.weights())
      EXPECT_TRUE(same_bits(weight.value, find(weight.name))) << weight.name;
  }
  // Saved with averaged weights in use: the same predictions, and the same training later.
  again.save(path);
  auto third = Model::load(path);
  EXPECT_TRUE(third.uses_averaged_weights());
  EXPECT_TRUE(same_bits(third.predict(data().arrays().x), whole.predict(data().arrays().x)));
  third.use_averaged_weights(false);
  whole.use_averaged_weights(false);
  EXPECT_TRUE(same_bits(third.predict(data().arrays().x), whole.predict(data().arrays().x)));
  std::remove(path.c_str());
}

TEST(Schedules, AFunctionIsAskedForAfterLoading) {
  const std::string path = testing::TempDir() + "goneuron_function.safetensors";
  const auto falling = [](i64 step) { return 0.1 / static_cast<double>(1 + step); };
  auto whole = network(SGD(Schedule(falling), {.momentum = 0.9})),
       half = network(SGD(Schedule(falling), {.momentum = 0.9}));
  const FitOptions once{.epochs = 1, .batch_size = 16, .shuffle = false};
  whole.fit(data(), once);
  whole.fit(data(), once);
  half.fit(data(), once);
  half.save(path);
  auto again = Model::load(path);
  EXPECT_TRUE(same_bits(again.predict(data().arrays().x), half.predict(data().arrays().x)));
  EXPECT_THROW(again.fit(data(), once), GraphError);
  again.set_schedule(Schedule(falling));
  again.fit(data(), once);
  expect_same_weights(whole, again);
  std::remove(path.c_str());
}

/// The root's slope at 0 is infinite though the loss is finite: nothing may change, statistics
/// included.
TEST(Clipping, AGradientThatIsNotFiniteChangesNothing) {
  for (const int workers : {1, 2}) {
    set_threads(workers);
    auto model = Sequential(
        {BatchNorm(), Dense(16), Layer("root", [](Symbol x) { return sqrt(x * 0.0F); })});
    model.build({8});
    model.compile(Adam(0.1, {.global_clip_norm = 1}), MSE, {}, {.ema = 0.9});
    const auto before = copies(model);
    EXPECT_THROW(model.train_on_batch(values({16, 8}), values({16, 16})), DataError);
    expect_bits(model, before);
  }
  set_threads(0);
}

TEST(Memory, OfAccumulationIsReportedBeforeItIsTaken) {
  auto model = network(Adam(0.01), {.ema = 0.9});
  const FitOptions options{.batch_size = 20, .accumulate = 2};
  const std::string before = model.memory_report(data(), options);
  model.fit(data(), options);
  const std::string after = model.memory_report(data(), options);
  const auto total = [](const std::string& text) {
    const size_t at = text.find("total");
    return text.substr(at, text.find(" bytes", at) - at);
  };
  EXPECT_EQ(total(before), total(after)) << before << after;
}

}  // namespace
}  // namespace goneuron
