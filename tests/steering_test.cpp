// Callbacks that steer: when they act, on numbers written down beforehand, and what they leave.
#include <goneuron/goneuron.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "error_text.h"
#include "io/safetensors.h"
#include "scripted.h"

namespace goneuron {
namespace {

const double nan = std::nan("");

/// Epochs that were trained.
size_t epochs_with(const std::vector<double>& numbers, const EarlyStoppingOptions& options) {
  auto model = scripted_model(numbers);
  return model
      .fit(line_data(),
           {.epochs = static_cast<i64>(numbers.size()), .callbacks = {EarlyStopping(options)}})
      .epochs.size();
}

TEST(EarlyStopping, WaitsForAnImprovement) {
  const auto with = [](const std::vector<double>& numbers, i64 patience, const char* mode = "min",
                       double delta = 0) {
    return epochs_with(
        numbers, {.monitor = "score", .min_delta = delta, .patience = patience, .mode = mode});
  };
  EXPECT_EQ(with({5, 4, 3, 2, 1}, 0), 5U) << "always better";
  EXPECT_EQ(with({5, 6, 4, 3, 2}, 0), 2U);
  EXPECT_EQ(with({5, 6, 4, 3, 2}, 2), 5U);
  EXPECT_EQ(with({5, 6, 7, 3, 2}, 2), 3U);
  EXPECT_EQ(with({5, 4, 4, 4, 4, 4}, 3), 5U) << "equal is not better";
  EXPECT_EQ(with({1, 2, 3, 3, 3, 3}, 2, "max"), 5U);
  EXPECT_EQ(with({5, 4.95, 4.9, 4.85, 4.8}, 2, "min", 0.5), 3U) << "too little";
  EXPECT_EQ(with({5, nan, nan, 4, 3}, 2), 3U) << "NaN is no improvement";
  EXPECT_EQ(with({5, nan, 4, nan, 3, 9}, 2), 6U);
}

TEST(EarlyStopping, StartsLateAndKnowsABaseline) {
  EXPECT_EQ(epochs_with({1, 2, 3, 4, 5, 6, 7},
                        {.monitor = "score", .patience = 2, .mode = "min", .start_from_epoch = 3}),
            6U)
      << "epoch 3 is the first that counts";
  // Better than before, but never than the baseline.
  EXPECT_EQ(epochs_with({9, 8, 7, 6, 5},
                        {.monitor = "score", .patience = 3, .mode = "min", .baseline = 4}),
            3U);
  EXPECT_EQ(epochs_with({9, 8, 3, 6, 5},
                        {.monitor = "score", .patience = 3, .mode = "min", .baseline = 4}),
            5U);
}

TEST(EarlyStopping, RestoresTheBestWeightsBitForBit) {
  for (const bool restore : {true, false}) {
    std::vector<std::string> bits;
    auto model = scripted_model({5, 4, 3, 6, 7, 8, 2});
    const History history = model.fit(
        line_data(),
        {.epochs = 7,
         .callbacks = {EarlyStopping({.monitor = "score",
                                      .patience = 3,
                                      .mode = "min",
                                      .restore_best_weights = restore}),
                       Lambda([&](TrainingState& s) { bits.push_back(bits_of(*s.model)); })}});
    ASSERT_EQ(history.epochs.size(), 6U);
    EXPECT_EQ(bits_of(model), bits[restore ? 2 : 5]);
    EXPECT_NE(bits[2], bits[5]);
  }
  // Also where training ends by itself.
  std::vector<std::string> bits;
  auto model = scripted_model({5, 4, 6});
  model.fit(
      line_data(),
      {.epochs = 3,
       .callbacks = {
           Lambda([&](TrainingState& s) { bits.push_back(bits_of(*s.model)); }),
           EarlyStopping(
               {.monitor = "score", .patience = 9, .mode = "min", .restore_best_weights = true})}});
  EXPECT_EQ(bits_of(model), bits[1]);
}

TEST(EarlyStopping, MayBeUsedAgain) {
  const auto stopping = EarlyStopping({.monitor = "score", .patience = 1, .mode = "min"});
  auto first = scripted_model({1, 2, 3}), second = scripted_model({9, 8, 7});
  EXPECT_EQ(first.fit(line_data(), {.epochs = 3, .callbacks = {stopping}}).epochs.size(), 2U);
  EXPECT_EQ(second.fit(line_data(), {.epochs = 3, .callbacks = {stopping}}).epochs.size(), 3U);
}

TEST(Monitors, AreKnownBeforeTraining) {
  auto model = line_model();
  bool trained = false;
  const auto seen = LambdaCallback({.on_step_end = [&](TrainingState&) { trained = true; }});
  const auto text = message_of<GraphError>([&] {
    model.fit(line_data(), {.callbacks = {seen, EarlyStopping({.monitor = "val_loss"})}});
  });
  for (const char* part :
       {"\"val_loss\"", "\"mean_absolute_error\"", ".validation", "steering_test.cpp:"})
    EXPECT_NE(text.find(part), std::string::npos) << text;
  EXPECT_FALSE(trained);
  EXPECT_NO_THROW(
      model.fit(line_data(), {.validation = line_data(), .callbacks = {EarlyStopping()}}));
  EXPECT_THROW(model.fit(line_data(), {.callbacks = {ReduceLROnPlateau({.monitor = "los"})}}),
               GraphError);
  // The way that is better, by the name.
  for (const char* up : {"accuracy", "val_auc", "f1_score_3", "val_recall", "r2_score"})
    EXPECT_NO_THROW(EarlyStopping({.monitor = up})) << up;
  EXPECT_THROW(EarlyStopping({.monitor = "score"}), GraphError);
}

/// The rate of each epoch's steps.
std::vector<double> rates_with(const std::vector<double>& numbers, const Callback& callback) {
  auto model = scripted_model(numbers, 1.0 / 16);
  std::vector<double> rates;
  model.fit(line_data(),
            {.epochs = static_cast<i64>(numbers.size()),
             .callbacks = {callback, LambdaCallback({.on_step_end = [&](TrainingState& s) {
                             rates.push_back(s.learning_rate * 16);
                           }})}});
  return rates;
}
using Rates = std::vector<double>;

TEST(ReduceLROnPlateau, WaitsReducesAndCoolsDown) {
  const auto with = [](const std::vector<double>& numbers, ReduceLROnPlateauOptions options) {
    options.monitor = "score", options.mode = "min";
    return rates_with(numbers, ReduceLROnPlateau(options));
  };
  EXPECT_EQ(with({5, 5, 5, 5, 5, 5}, {.factor = 0.5, .patience = 2}),
            (Rates{1, 1, 1, .5, .5, .25}));
  EXPECT_EQ(with({5, 5, 4, 4, 4, 4}, {.factor = 0.5, .patience = 2}), (Rates{1, 1, 1, 1, 1, .5}));
  EXPECT_EQ(with({5, 5, 5, 5, 5, 5, 5}, {.factor = 0.5, .patience = 1, .cooldown = 2}),
            (Rates{1, 1, .5, .5, .25, .25, .125}));
  EXPECT_EQ(with({5, 5, 5, 5}, {.factor = 0.25, .patience = 1, .min_lr = 1.0 / 32}),
            (Rates{1, 1, .5, .5}));
  EXPECT_EQ(with({5, 4.9, 4.8, 4.7}, {.factor = 0.5, .patience = 1, .min_delta = 0.5}),
            (Rates{1, 1, .5, .25}))
      << "too little to count";
}

/// Rates after each epoch's end, from a callback whose memory is carried over to another one after
/// `cut` epochs.
Rates rates_cut(const std::vector<double>& numbers, size_t cut,
                const std::function<Callback()>& make) {
  const Model model = line_model();
  Logs logs{{"score"}, {0}};
  TrainingState state;
  state.model = &model, state.logs = &logs, state.learning_rate = 1;
  Rates rates;
  Callback callback = make();
  callback->on_train_begin(state);
  for (size_t e = 0; e < numbers.size(); ++e) {
    if (e == cut) {
      CallbackState memory;
      callback->save(memory);
      callback = make();
      callback->on_train_begin(state);
      callback->load(memory);
    }
    logs.values[0] = numbers[e];
    state.epoch = static_cast<i64>(e);
    callback->on_epoch_end(state);
    rates.push_back(state.learning_rate + (state.stop ? 100 : 0));
  }
  return rates;
}

TEST(Memory, OfRateReductionAndEarlyStoppingGoesOn) {
  const std::vector<double> numbers = {5, 6, 6, 4, 6, 6, 6, 6, 3, 6, 6, 6, 6, 6, 6, 6};
  const std::function<Callback()> makers[] = {
      [] {
        return ReduceLROnPlateau(
            {.monitor = "score", .factor = 0.5, .patience = 2, .mode = "min", .cooldown = 2});
      },
      [] { return EarlyStopping({.monitor = "score", .patience = 5, .mode = "min"}); }};
  for (const auto& make : makers) {
    const Rates whole = rates_cut(numbers, 99, make);
    EXPECT_NE(whole.front(), whole.back()) << "it did act";
    for (size_t cut = 0; cut < numbers.size(); ++cut)
      EXPECT_EQ(rates_cut(numbers, cut, make), whole) << cut;
  }
}

TEST(LearningRateScheduler, SetsTheRateOfEachEpoch) {
  EXPECT_EQ(rates_with({1, 1, 1, 1}, LearningRateScheduler([](i64 epoch, double rate) {
                         return epoch < 2 ? rate : rate / 2;
                       })),
            (Rates{1, 1, .5, .25}));
}

TEST(ModelCheckpoint, NamesFilesByNumbersAndKeepsTheLast) {
  const Folder folder;
  auto model = scripted_model({5, 4, 6, 3});
  model.fit(line_data(), {.epochs = 4,
                          .callbacks = {ModelCheckpoint(
                              folder.path("run/m-{epoch:02}-{score:.1f}.st"), {.keep_last = 2})}});
  EXPECT_EQ(folder.files("run"), (std::vector<std::string>{"m-03-6.0.st", "m-04-3.0.st"}));
  EXPECT_EQ(bits_of(Model::load(folder.path("run/m-04-3.0.st"))), bits_of(model));
}

TEST(ModelCheckpoint, SavesTheBestOnly) {
  const Folder folder;
  std::vector<std::string> bits;
  auto model = scripted_model({5, 4, 6, 3.9, 7});
  model.fit(
      line_data(),
      {.epochs = 5,
       .callbacks = {ModelCheckpoint(folder.path("best-{epoch}.st"),
                                     {.monitor = "score", .save_best_only = true, .mode = "min"}),
                     ModelCheckpoint(folder.path("good.st"), {.monitor = "score",
                                                              .save_best_only = true,
                                                              .mode = "min",
                                                              .initial_value_threshold = 3.95}),
                     Lambda([&](TrainingState& s) { bits.push_back(bits_of(*s.model)); })}});
  EXPECT_EQ(folder.files(),
            (std::vector<std::string>{"best-1.st", "best-2.st", "best-4.st", "good.st"}));
  EXPECT_EQ(bits_of(Model::load(folder.path("best-2.st"))), bits[1]);
  EXPECT_EQ(bits_of(Model::load(folder.path("good.st"))), bits[3]);
}

TEST(ModelCheckpoint, SavesTheWeightsAlone) {
  const Folder folder;
  auto model = scripted_model({5, 4});
  model.fit(
      line_data(),
      {.epochs = 2,
       .callbacks = {ModelCheckpoint(folder.path("m-{epoch}.st"), {.save_weights_only = true})}});
  auto fresh = scripted_model({5, 4});
  fresh.build({2});
  const WeightsReport report = fresh.load_weights(folder.path("m-2.st"));
  EXPECT_EQ(report.loaded.size(), model.weights().size());
  EXPECT_TRUE(report.missing.empty() && report.unexpected.empty() && report.mismatched.empty());
  for (size_t i = 0; i < model.weights().size(); ++i)
    EXPECT_TRUE(fresh.weights()[i].value == model.weights()[i].value);
  // Tensors of those names and nothing else: no optimizer, no graph.
  const SafetensorsFile file = read_safetensors(folder.path("m-2.st"));
  EXPECT_EQ(file.tensors.size(), model.weights().size());
  EXPECT_TRUE(file.metadata.empty());
  EXPECT_THROW(Model::load(folder.path("m-2.st")), FormatError);
}

TEST(ModelCheckpoint, SavesEveryFewSteps) {
  const Folder folder;
  auto model = line_model();
  model.fit(line_data(),
            {.epochs = 2,
             .batch_size = 4,  // 3 steps
             .callbacks = {ModelCheckpoint(folder.path("m-{epoch}-{step}"), {.save_freq = 2})}});
  EXPECT_EQ(folder.files(), (std::vector<std::string>{"m-1-2", "m-2-1", "m-2-3"}));
}

TEST(TerminateOnNaN, EndsWithTheWeightsBeforeTheStep) {
  const Layer root("root", [](Symbol x) { return sqrt(x); });
  const auto make = [&] {
    auto model = Sequential({Dense(4, {.bias = false, .weight_init = Ones}), root, Dense(1)});
    model.compile(SGD(0.1), MSE, {}, {.seed = 2});
    return model;
  };
  Tensor x(Shape{4, 1}), y(Shape{4, 1});
  for (i64 i = 0; i < 4; ++i) x.set({i, 0}, 1);
  x.set({3, 0}, -1);  // its root is NaN
  auto thrown = make(), ended = make();
  EXPECT_THROW(thrown.fit(x, y, {.epochs = 2, .batch_size = 1, .shuffle = false}), DataError);
  ::testing::internal::CaptureStderr();
  const History history = ended.fit(
      x, y, {.epochs = 2, .batch_size = 1, .shuffle = false, .callbacks = {TerminateOnNaN()}});
  const std::string said = ::testing::internal::GetCapturedStderr();
  for (const char* part : {"step 4 of epoch 1", "root", "the first that is not finite"})
    EXPECT_NE(said.find(part), std::string::npos) << said;
  EXPECT_EQ(bits_of(ended), bits_of(thrown));
  ASSERT_EQ(history.epochs.size(), 1U);
  EXPECT_TRUE(std::isfinite(history.epochs[0]["loss"])) << "the mean of the three steps before";
  // In the very first step there is nothing to report; a bad label is thrown all the same.
  x.set({0, 0}, -1);
  ::testing::internal::CaptureStderr();
  EXPECT_TRUE(make()
                  .fit(x, y, {.batch_size = 1, .shuffle = false, .callbacks = {TerminateOnNaN()}})
                  .epochs.empty());
  ::testing::internal::GetCapturedStderr();
  auto classes = Sequential({Dense(2, Softmax)});
  classes.compile(SGD(0.1), CrossEntropy);
  EXPECT_THROW(
      classes.fit(x, std::vector<std::int32_t>{0, 1, 5, 0}, {.callbacks = {TerminateOnNaN()}}),
      DataError);
}

TEST(LambdaCallback, HasEveryHook) {
  std::string order;
  const auto say = [&](char c) { return [&order, c](TrainingState&) { order += c; }; };
  auto model = line_model();
  model.fit(line_data(), {.epochs = 2,
                          .batch_size = 5,
                          .validation = line_data(),
                          .callbacks = {LambdaCallback({.on_train_begin = say('('),
                                                        .on_train_end = say(')'),
                                                        .on_epoch_begin = say('['),
                                                        .on_epoch_end = say(']'),
                                                        .on_step_end = say('s'),
                                                        .on_test_begin = say('<'),
                                                        .on_test_end = say('>')})}});
  EXPECT_EQ(order, "([ss<>][ss<>])");
}

TEST(MovingAverage, ValidationIsOfTheAverages) {
  const CompileOptions options{.seed = 1, .ema = 0.9};
  const std::vector<double> none(3, 0);
  auto model = scripted_model(none, 0.1, options), twin = scripted_model(none, 0.1, options);
  std::string before_it, after_it;
  const History history =
      model.fit(line_data(),
                {.epochs = 3,
                 .batch_size = 4,
                 .validation = line_data(),
                 .callbacks = {Lambda([&](TrainingState& s) { before_it = bits_of(*s.model); }),
                               MovingAverage(),
                               Lambda([&](TrainingState& s) { after_it = bits_of(*s.model); })}});
  twin.fit(line_data(), {.epochs = 3, .batch_size = 4});
  EXPECT_EQ(bits_of(model), bits_of(twin)) << "training goes on with its own weights";
  EXPECT_EQ(after_it, bits_of(twin));
  const AveragedWeights averaged(twin);
  EXPECT_EQ(before_it, bits_of(twin));
  EXPECT_EQ(history["val_loss"].back(), twin.evaluate(line_data(), 4)["loss"]);
}

}  // namespace
}  // namespace goneuron
