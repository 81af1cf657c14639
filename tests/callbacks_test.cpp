// Callbacks: when each hook runs and what it may change; the history and its files.
#include <goneuron/goneuron.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "error_text.h"
#include "line_model.h"

namespace goneuron {
namespace {

namespace fs = std::filesystem;

/// Writes down every hook, and runs `act` in it.
class Recorder : public CallbackBase {
 public:
  explicit Recorder(std::function<void(const std::string&, TrainingState&)> act = {})
      : act_(std::move(act)) {}
  void on_train_begin(TrainingState& s) override { note("train_begin", s); }
  void on_epoch_begin(TrainingState& s) override { note("epoch_begin", s); }
  void on_step_end(TrainingState& s) override { note("step_end", s); }
  void on_epoch_end(TrainingState& s) override { note("epoch_end", s); }
  void on_train_end(TrainingState& s) override { note("train_end", s); }

  std::vector<std::string> names;
  std::vector<TrainingState> states;

 private:
  void note(const std::string& name, TrainingState& state) {
    names.push_back(name);
    states.push_back(state);
    if (act_) act_(name, state);
  }
  std::function<void(const std::string&, TrainingState&)> act_;
};

TEST(Callbacks, OrderOfHooksAndWhatTheyRead) {
  auto recorder = std::make_shared<Recorder>();
  auto model = line_model(0.25);
  model.fit(line_data(), {.epochs = 2, .batch_size = 4, .callbacks = {recorder}});
  const std::vector<std::string> expected = {
      "train_begin", "epoch_begin", "step_end", "step_end", "step_end",  "epoch_end",
      "epoch_begin", "step_end",    "step_end", "step_end", "epoch_end", "train_end"};
  ASSERT_EQ(recorder->names, expected);
  const i64 samples[] = {0, 0, 4, 8, 10, 10, 0, 4, 8, 10, 10, 10};
  double last = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const TrainingState& s = recorder->states[i];
    EXPECT_EQ(s.epochs, 2);
    EXPECT_EQ(s.steps, 3);
    EXPECT_EQ(s.batch_size, 4);
    EXPECT_EQ(s.learning_rate, 0.25);
    EXPECT_EQ(s.model, &model);
    EXPECT_EQ(s.samples, samples[i]) << i;
    EXPECT_EQ(s.epoch, i < 6 ? 0 : 1) << i;
    if (expected[i] == "step_end") {
      EXPECT_EQ(s.step, static_cast<i64>(i < 6 ? i - 2 : i - 7)) << i;
    }
    if (expected[i] == "epoch_begin") last = 0;
    EXPECT_GE(s.seconds, last) << i;
    if (expected[i] == "step_end") {
      EXPECT_EQ(s.step_seconds, s.seconds) << i;
    }
    if (expected[i] == "epoch_end") {
      EXPECT_GT(s.step_seconds, 0) << i;
      EXPECT_LE(s.step_seconds, s.seconds) << i;
    }
    last = s.seconds;
  }
}

TEST(Callbacks, RunInTheOrderOfTheList) {
  std::string order;
  const auto letter = [&](char c) { return Lambda([&order, c](TrainingState&) { order += c; }); };
  auto model = line_model();
  model.fit(line_data(), {.epochs = 2, .callbacks = {letter('a'), nullptr, letter('b')}});
  EXPECT_EQ(order, "abab");
  EXPECT_THROW(Lambda(nullptr), GraphError);
}

TEST(Callbacks, StoppingAfterAStep) {
  auto recorder = std::make_shared<Recorder>([](const std::string& name, TrainingState& s) {
    if (name == "step_end" && s.epoch == 1 && s.step == 0) s.stop = true;
  });
  auto model = line_model();
  const History history =
      model.fit(line_data(), {.epochs = 5, .batch_size = 4, .callbacks = {recorder}});
  const std::vector<std::string> expected = {
      "train_begin", "epoch_begin", "step_end", "step_end",  "step_end",
      "epoch_end",   "epoch_begin", "step_end", "epoch_end", "train_end"};
  EXPECT_EQ(recorder->names, expected);
  EXPECT_EQ(history.epochs.size(), 2U);
}

TEST(Callbacks, StoppingAtAnEpochsEnd) {
  auto model = line_model();
  const History history = model.fit(
      line_data(),
      {.epochs = 5, .callbacks = {Lambda([](TrainingState& s) { s.stop = s.epoch == 2; })}});
  EXPECT_EQ(history.epochs.size(), 3U);
}

TEST(Callbacks, StoppingBeforeAnythingIsTrained) {
  for (const char* hook : {"train_begin", "epoch_begin"}) {
    auto recorder = std::make_shared<Recorder>(
        [&](const std::string& name, TrainingState& s) { s.stop = s.stop || name == hook; });
    auto model = line_model();
    model.build({2});
    const Tensor before = model.weights()[0].value.clone();
    const History history = model.fit(line_data(), {.epochs = 5, .callbacks = {recorder}});
    EXPECT_EQ(model.weights()[0].value, before);
    EXPECT_EQ(history.epochs.size(), 0U) << "no epoch without a step: " << hook;
    EXPECT_EQ(recorder->names.back(), "train_end");
  }
}

TEST(Callbacks, NoEpochs) {
  auto recorder = std::make_shared<Recorder>();
  auto model = line_model();
  EXPECT_TRUE(model.fit(line_data(), {.epochs = 0, .callbacks = {recorder}}).epochs.empty());
  EXPECT_EQ(recorder->names, (std::vector<std::string>{"train_begin", "train_end"}));
}

TEST(Callbacks, AModelThatIsTrainedIsNotCompiledAndTrainsAgainAfterAnError) {
  auto model = line_model(), other = line_model();
  const auto again = Lambda([&](TrainingState&) {
    other.compile(SGD(0.01), MSE);  // is not in training
    other.fit(line_data());
    model.compile(SGD(0.01), MSE);
  });
  EXPECT_THROW(model.fit(line_data(), {.callbacks = {again}}), GraphError);
  EXPECT_EQ(model.fit(line_data(), {.epochs = 2}).epochs.size(), 2U);
  model.compile(SGD(0.01), MSE);
}

// One weight, one sample, plain SGD: w -= rate * 2 (w x - y) x. With x = 1, y = 0 each step
// multiplies w by 1 - 2 rate, exactly for the powers of two below.
TEST(Callbacks, TheLearningRateOfTheNextStep) {
  auto model = Sequential({Dense(1, {.bias = false, .weight_init = Ones})});
  model.compile(SGD(0.25), MSE);
  std::vector<double> weights;
  auto recorder = std::make_shared<Recorder>([&](const std::string& name, TrainingState& s) {
    if (name == "epoch_begin" && s.epoch == 2) s.learning_rate = 0.0625;
    if (name != "step_end") return;
    weights.push_back(s.model->weights()[0].value.item());
    if (s.epoch == 0) s.learning_rate = 0.125;
  });
  model.fit(Tensor(std::vector<float>{1}, Shape{1, 1}), Tensor(std::vector<float>{0}, Shape{1, 1}),
            {.epochs = 3, .callbacks = {recorder}});
  EXPECT_EQ(weights, (std::vector<double>{0.5, 0.5 * 0.75, 0.5 * 0.75 * 0.875}));
  EXPECT_EQ(model.learning_rate(), 0.0625) << "it stays";
}

TEST(Callbacks, TheLearningRateSetOnTheModel) {
  auto model = line_model(0.25);
  std::vector<double> seen;
  model.fit(line_data(),
            {.epochs = 3,
             .callbacks = {Lambda([&](TrainingState& s) {
                             seen.push_back(s.learning_rate);
                             model.set_learning_rate(s.learning_rate / 2);
                           }),
                           Lambda([&](TrainingState& s) { seen.push_back(s.learning_rate); })}});
  EXPECT_EQ(seen, (std::vector<double>{0.25, 0.125, 0.125, 0.0625, 0.0625, 0.03125}));
  EXPECT_EQ(model.learning_rate(), 0.03125);
}

TEST(Callbacks, AnImpossibleLearningRateIsRefused) {
  for (const double rate : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    auto model = line_model(0.25);
    const auto text = message_of<GraphError>([&] {
      model.fit(line_data(),
                {.callbacks = {Lambda([&](TrainingState& s) { s.learning_rate = rate; })}});
    });
    EXPECT_NE(text.find("learning rate"), std::string::npos) << text;
    EXPECT_NE(text.find("callbacks_test.cpp:"), std::string::npos) << text;
    EXPECT_EQ(model.learning_rate(), 0.25);
  }
}

TEST(Callbacks, LogsAreRunningMeans) {
  std::vector<double> steps, epochs;
  auto recorder = std::make_shared<Recorder>([&](const std::string& name, TrainingState& s) {
    if (name == "step_end") {
      EXPECT_EQ(s.logs->names, (std::vector<std::string>{"loss", "mean_absolute_error"}));
      steps.push_back((*s.logs)["loss"]);
    }
    if (name == "epoch_end") {
      EXPECT_EQ(s.logs->names, (std::vector<std::string>{"loss", "mean_absolute_error", "val_loss",
                                                         "val_mean_absolute_error"}));
      epochs.push_back((*s.logs)["loss"]);
    }
  });
  auto model = line_model();
  const Dataset data = line_data();
  const History history = model.fit(data, {.epochs = 1,
                                           .batch_size = 4,
                                           .validation = data,
                                           .shuffle = false,
                                           .callbacks = {recorder}});
  // The same three batches on a twin: the means are weighted by 4, 4 and 2 samples.
  auto twin = line_model();
  const Sample all = data.arrays();
  const i64 ends[] = {4, 8, 10};
  double sum = 0;
  for (int i = 0; i < 3; ++i) {
    const i64 begin = i == 0 ? 0 : ends[i - 1];
    const double loss =
        twin.train_on_batch(all.x.slice(begin, ends[i]), all.y.slice(begin, ends[i]))["loss"];
    sum += loss * static_cast<double>(ends[i] - begin);
    EXPECT_EQ(steps[static_cast<size_t>(i)], sum / static_cast<double>(ends[i]));
  }
  EXPECT_EQ(epochs, (std::vector<double>{steps[2]}));
  EXPECT_EQ(history["loss"], epochs);
  // One batch of 10 or three of 4, 4 and 2: sums in another order, in f32.
  EXPECT_NEAR(history["val_loss"][0], model.evaluate(data, 10)["loss"], 1e-6);
  EXPECT_EQ(history["val_loss"][0], model.evaluate(data, 4)["loss"]);
}

TEST(Callbacks, LogsNameWhatExists) {
  const Logs logs{{"loss", "accuracy"}, {1.5, 0.5}};
  EXPECT_EQ(logs["accuracy"], 0.5);
  EXPECT_TRUE(logs.has("loss"));
  EXPECT_FALSE(logs.has("los"));
  const auto text = message_of<GraphError>([&] { logs["val_loss"]; });
  for (const char* part : {"\"val_loss\"", "\"loss\", \"accuracy\"", "hint"})
    EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST(Callbacks, WhatAHookThrowsReachesTheCaller) {
  auto model = line_model();
  const auto thrower = Lambda([](TrainingState&) { throw std::runtime_error("enough"); });
  EXPECT_EQ(message_of<std::runtime_error>(
                [&] { model.fit(line_data(), {.epochs = 3, .callbacks = {thrower}}); }),
            "enough");
  EXPECT_EQ(model.fit(line_data(), {.epochs = 2}).epochs.size(), 2U);
}

// ---- history ----

/// A folder of files that goes away with the test.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("callbacks_test_" + std::to_string(getpid()))) {
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  std::string path(const std::string& name) const { return path_ / name; }
  size_t files() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(path_), {}));
  }

 private:
  fs::path path_;
};

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

History some_history() {
  const double nan = std::nan("");
  return {{{{"loss", "odd,\"name\""}, {0.1, 1.0 / 3}},
           {{"loss", "odd,\"name\"", "late"}, {1e-300, 5e300, nan}},
           {{"loss"}, {std::numeric_limits<double>::infinity()}}}};
}

TEST(History, ValuesByName) {
  const History history = some_history();
  EXPECT_EQ(history["odd,\"name\""], (std::vector<double>{1.0 / 3, 5e300}));
  EXPECT_EQ(history["loss"].size(), 3U);
  const auto text = message_of<GraphError>([&] { history["accuracy"]; });
  for (const char* part : {"\"accuracy\"", "\"loss\"", "\"late\"", "hint"})
    EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST(History, CsvReadBack) {
  const Folder folder;
  const std::string path = folder.path("history.csv");
  some_history().save_csv(path);
  std::istringstream lines(text_of(path));
  std::vector<std::string> rows;
  for (std::string row; std::getline(lines, row);) rows.push_back(row);
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0], "epoch,loss,\"odd,\"\"name\"\"\",late");
  const auto fields = [](const std::string& row) {
    std::vector<std::string> out(1);
    for (const char c : row)
      if (c == ',')
        out.emplace_back();
      else
        out.back().push_back(c);
    return out;
  };
  const auto one = fields(rows[1]), two = fields(rows[2]), three = fields(rows[3]);
  EXPECT_EQ(one[0], "1");
  EXPECT_EQ(std::stod(one[1]), 0.1) << "every bit comes back";
  EXPECT_EQ(std::stod(one[2]), 1.0 / 3);
  EXPECT_EQ(one[3], "");
  EXPECT_EQ(std::strtod(two[1].c_str(), nullptr), 1e-300);
  EXPECT_EQ(std::stod(two[2]), 5e300);
  EXPECT_TRUE(std::isnan(std::stod(two[3])));
  EXPECT_TRUE(std::isinf(std::stod(three[1])));
  EXPECT_EQ(three.size(), 4U);
  EXPECT_EQ(folder.files(), 1U) << "no temporary file is left";
}

TEST(History, JsonReadBack) {
  const Folder folder;
  const std::string path = folder.path("history.json");
  History().save_json(path);
  EXPECT_EQ(nlohmann::json::parse(text_of(path)), nlohmann::json::array());
  some_history().save_json(path);
  const auto rows = nlohmann::json::parse(text_of(path));
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0]["epoch"], 1);
  EXPECT_EQ(rows[0]["odd,\"name\""].get<double>(), 1.0 / 3);
  EXPECT_EQ(rows[1]["loss"].get<double>(), 1e-300);
  EXPECT_TRUE(rows[1]["late"].is_null());
  EXPECT_TRUE(rows[2]["loss"].is_null());
  EXPECT_EQ(folder.files(), 1U);
}

TEST(History, FilesThatCannotBeWritten) {
  const Folder folder;
  const std::string path = folder.path("nowhere/history");
  const std::function<void()> saves[] = {[&] { some_history().save_csv(path); },
                                         [&] { some_history().save_json(path); }};
  for (const auto& save : saves) {
    const auto text = message_of<FormatError>(save);
    for (const char* part : {"History::save_", path.c_str(), "No such file", "hint"})
      EXPECT_NE(text.find(part), std::string::npos) << text;
  }
  EXPECT_EQ(folder.files(), 0U);
  // A folder of that name is in the way: the temporary file goes, the folder stays.
  fs::create_directories(folder.path("taken/inside"));
  EXPECT_THROW(some_history().save_csv(folder.path("taken")), FormatError);
  EXPECT_EQ(folder.files(), 1U);
}

}  // namespace
}  // namespace goneuron
