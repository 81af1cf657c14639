// Configs: what is refused and how it is said, what is read, and that what is written reads back.
// After a change that is meant: GONEURON_UPDATE_SNAPSHOT=1 config_test, then review the diff.
#include "config/config.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "config/build.h"
#include "config/check.h"
#include "config/tables.h"
#include "config/words.h"
#include "config/write.h"
#include "config/yaml.h"
#include "config_cases.h"
#include "error_text.h"
#include "goneuron/goneuron.h"

namespace goneuron {
namespace {
using config::Config;

constexpr const char* snapshot_path = GONEURON_SOURCE_DIR "/tests/fixtures/config_errors.txt";

std::string file_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::string refusal(const RefusedConfig& refused) {
  return message_of<FormatError>(
      [&] { Config::parse(refused.text, "run.yaml", refused.overrides); });
}

/// As it stands in the snapshot: the config, its lines numbered and cut, then the text.
std::string entry(const RefusedConfig& refused) {
  std::string out;
  std::istringstream in(refused.text);
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.size() > 80) line = line.substr(0, 60) + " ..";
    for (char& c : line)
      if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F) c = '~';
    out += "  " + std::to_string(++number) + "  " + line + "\n";
  }
  for (const std::string& set : refused.overrides) out += "  --set " + set + "\n";
  return out + "\n" + refusal(refused) + "\n\n";
}

TEST(ConfigErrors, AreThoseOfTheSnapshot) {
  std::string now =
      "Every way in which a config can be wrong, as tests/config_cases.h has it, and what is said "
      "of it.\nWritten by GONEURON_UPDATE_SNAPSHOT=1 config_test, reviewed by hand.\n\n";
  for (const RefusedConfig& refused : refused_configs())
    now += std::string("== ") + refused.name + "\n" + entry(refused);
  now.pop_back();
  if (std::getenv("GONEURON_UPDATE_SNAPSHOT") != nullptr) std::ofstream(snapshot_path) << now;
  EXPECT_EQ(now, file_text(snapshot_path));
}

TEST(ConfigErrors, SayWhereWhatAndHow) {
  for (const RefusedConfig& refused : refused_configs()) {
    const std::string text = refusal(refused), first = text.substr(0, text.find('\n'));
    const bool set = !refused.overrides.empty();
    EXPECT_EQ(text.rfind(set ? "FormatError: --set " : "FormatError: run.yaml:", 0), 0U) << text;
    EXPECT_NE(text.find("\n  hint "), std::string::npos) << refused.name << ": no hint: " << text;
    EXPECT_NE(first.back(), '.') << first;
  }
}

TEST(ConfigErrors, CapsHoldBeforeTheParser) {
  const auto capped = [](const std::string& text) {
    return message_of<FormatError>([&] { config::check_size_and_depth(text, "x"); });
  };
  expect_contains(capped(std::string(config::max_bytes + 1, 'a')), {"65537 bytes"});
  expect_contains(capped(std::string(100000, '[')), {"expected at most"});
  expect_contains(capped(std::string(50, '[')), {"nested deeper"});
  // Brackets in quotes and behind quotes that never close count, too.
  expect_contains(capped("a: don't " + std::string(50, '[')), {"nested deeper"});
  expect_contains(capped("\"" + std::string(50, '{')), {"nested deeper"});
  config::check_size_and_depth("a: 1 # " + std::string(50, '[') + "\n", "x");
  config::check_size_and_depth(
      "\xEF\xBB\xBF"
      "a: \xC3\xA9\r\n",
      "x");
  std::string closed;
  for (int i = 0; i < 100; ++i) closed += "[]\n";
  config::check_size_and_depth(closed, "x");
}

TEST(Config, ReadsEveryFormOfAnObject) {
  const auto units = [](const std::string& layer) {
    const Config c = Config::parse(changed("model", "model: [" + layer + "]"), "run.yaml");
    return config::build_model(c, {4}, DType::f32).output().shape()[-1];
  };
  EXPECT_EQ(units("{Dense: 3}"), 3);
  EXPECT_EQ(units("{Dense: {units: 3}}"), 3);
  EXPECT_EQ(units("{dense: {units: 3, activation: {leaky_relu: 0.3}}}"), 3);
  EXPECT_EQ(units("{DENSE: {units: 3, activation: LeakyReLU, repeat: 2}}"), 3);
  EXPECT_EQ(units("{Activate: {leaky_relu: 0.3}}"), 4);
  EXPECT_EQ(units("{Activate: {activation: {leaky_relu: {alpha: 0.3}}}}"), 4);
  EXPECT_EQ(units("Flatten"), 4);
  EXPECT_EQ(units("{Flatten: }"), 4);
}

TEST(Config, SetsValuesFromTheCommandLine) {
  const Config c = Config::parse(
      changed("", "fit: {epochs: 3}"), "run.yaml",
      {"fit.epochs=7", "fit.batch_size=9", "model.1.Dense.units=5", "data.fashion_mnist.take=8",
       "optimizer.SGD.momentum=0.5", "outputs.folder=run/second", "metrics=[accuracy, auc]"});
  EXPECT_EQ(c.section("fit").integer("epochs"), 7);
  EXPECT_EQ(c.section("fit").integer("batch_size"), 9);
  EXPECT_EQ(c.section("outputs").text("folder"), "run/second");
  expect_contains(c.text(), {"units: 5", "take: 8", "momentum: 0.5", "auc"});
}

TEST(Config, SetsOptionsBesideShortForms) {
  const Config c = Config::parse(
      changed("model", "model: [{Dropout: 0.5}, {Dense: 3}]"), "run.yaml",
      {"model.0.Dropout.rate=0.25", "model.1.Dense.bias=false", "outputs.report=false"});
  EXPECT_EQ(c.section("outputs").text("folder"), "run/first");
  EXPECT_FALSE(c.section("outputs").boolean("report"));
  EXPECT_EQ(config::build_model(c, {4}, DType::f32).parameters(), 12);
  expect_contains(c.text(), {"rate: 0.25", "units: 3", "bias: false"});
}

TEST(Config, WritesWhatItReads) {
  const std::string text =
      "data: {idx: {inputs: \"a: b\", targets: \"it's\\\\ \\\"x\\\" # no\", take: 7}}\n"
      "model:\n"
      "  - Dense: {units: 4, name: \"10\", activation: {leaky_relu: {alpha: 0.5}}}\n"
      "  - Activate: {elu: 0.5}\n"
      "  - Flatten\n"
      "  - BatchNorm: {scale: false, shift: true}\n"
      "  - Dense: {units: 5, bias: false}\n"
      "  - Add: {inputs: [\"10\", \"10\"]}\n"
      "loss: {cross_entropy: {label_smoothing: 0.1, ignore_index: -1}}\n"
      "metrics: [accuracy, {f1_score: {average: macro}}]\n"
      "fit:\n"
      "outputs: \"run/with space\"\n";
  const Config first = Config::parse(text, "first");
  const Config second = Config::parse(first.text(), "second");
  EXPECT_EQ(first.text(), second.text());
  const config::Options idx =
      config::options_of(config::source_table(), *second.root().find("data"), config::Context());
  EXPECT_EQ(idx.text("inputs"), "a: b");
  EXPECT_EQ(idx.text("targets"), "it's\\ \"x\" # no");
  EXPECT_EQ(idx.integer("take"), 7);
  EXPECT_EQ(second.section("outputs").text("folder"), "run/with space");
}

TEST(Config, WritesTheSameHoweverLongItIsSpelt) {
  const std::string layer =
      ": {filters: 32, kernel: 3, padding: same, bias: false}\n";  // with the name below: a line
  const std::string spelt = "Conv2" + std::string(60, '-') + "D";
  const std::string text = "data: fashion_mnist\nmodel:\n  - Conv2D" + layer + "  - " + spelt +
                           layer + "loss: cross_entropy\nfit:\noutputs: run/first\n";
  const std::string first = Config::parse(text, "first").text();
  expect_contains(first, {"  - Conv2D: {filters: 32"});
  EXPECT_EQ(Config::parse(first, "second").text(), first);
}

TEST(Config, WritesANameWithoutOptionsAlone) {
  for (const char* spelt : {"AdamW", "{adamw: {}}", "{adamw: ~}", "{Adam_w: {}}"}) {
    const std::string first =
        Config::parse(
            "data: fashion_mnist\nmodel: [{Flatten: {}}, {Dense: 10}]\nloss: mse\n"
            "metrics: [{accuracy: ~}]\nfit:\noutputs: run/first\noptimizer: " +
                std::string(spelt) + "\n",
            "first")
            .text();
    expect_contains(first, {"optimizer: AdamW ", "  - Flatten ", "  - accuracy "});
    EXPECT_EQ(Config::parse(first, "second").text(), first) << spelt;
  }
}

TEST(ConfigData, IsCutBalancedAndChangedAsTheConfigSays) {
  const std::vector<std::string> small = {"data.fashion_mnist.take=1000", "split.validation=0.1",
                                          "augment.flip_horizontal=true", "fit.loader_threads=2"};
  const config::Loaded plain = config::load_data(Config::parse(changed("", ""), "run.yaml", small));
  EXPECT_EQ(plain.train.size() + plain.validation.size(), 1000);
  EXPECT_EQ(plain.validation.size(), 100);
  EXPECT_EQ(plain.test.size(), 1000);
  auto more = small;
  more.emplace_back("split.balanced=true");
  const Dataset balanced =
      config::load_data(Config::parse(changed("", ""), "run.yaml", more)).train;
  std::map<double, int> counts;
  const Tensor y = balanced.arrays().y;
  for (i64 i = 0; i < y.size(); ++i) ++counts[y.at({i})];
  ASSERT_EQ(counts.size(), 10U);
  for (const auto& [kind, count] : counts) EXPECT_EQ(count, counts[0]) << kind;
  EXPECT_GT(balanced.size(), plain.train.size());
}

TEST(ConfigData, ASplitIsDecidedByTheSeed) {
  const auto validation = [](const std::string& seed) {
    const Config c = Config::parse(changed("", ""), "run.yaml",
                                   {"data.fashion_mnist.take=300", "split.validation=0.2", seed});
    return config::load_data(c).validation.arrays().x;
  };
  EXPECT_TRUE(validation("seed=1") == validation("seed=1"));
  EXPECT_FALSE(validation("seed=1") == validation("seed=2"));
}

TEST(Config, ShortForms) {
  const Config c = Config::parse(changed("", "fit: 3"), "run.yaml");
  EXPECT_EQ(c.section("fit").integer("epochs"), 3);
  EXPECT_EQ(c.section("outputs").text("folder"), "run/first");
  EXPECT_TRUE(c.section("outputs").boolean("report"));
}

TEST(ConfigPage, IsThatOfTheSchema) {
  const std::string path = GONEURON_SOURCE_DIR "/docs/config.md";
  if (std::getenv("GONEURON_UPDATE_SNAPSHOT") != nullptr)
    std::ofstream(path) << config::schema_page();
  EXPECT_EQ(config::schema_page(), file_text(path));
}

/// The lines before the first key are the author's; all others are what the schema says.
TEST(ConfigExamples, HaveTheCommentsOfTheSchema) {
  int found = 0;
  for (const auto& file :
       std::filesystem::directory_iterator(GONEURON_SOURCE_DIR "/examples/configs")) {
    if (file.path().extension() != ".yaml") continue;
    ++found;
    const std::string text = file_text(file.path());
    std::string head, now = text;
    while (now.rfind("#", 0) == 0 || now.rfind("\n", 0) == 0) {
      const size_t end = now.find('\n') + 1;
      head += now.substr(0, end);
      now = now.substr(end);
    }
    const std::string wanted = Config::parse(text, file.path().filename()).text();
    if (std::getenv("GONEURON_UPDATE_SNAPSHOT") != nullptr)
      std::ofstream(file.path()) << head << wanted;
    else
      EXPECT_EQ(now, wanted) << file.path();
    EXPECT_FALSE(head.empty()) << file.path() << " does not say what it is";
  }
  EXPECT_GE(found, 1);
}

TEST(ConfigWords, SayInAConfigsWordsWhatTheLibrarySaysInCpp) {
  const std::vector<std::pair<std::string, std::string>> all = {
      {"use Dense(1, Sigmoid) with BinaryCrossEntropy, or Dense(2, Softmax)",
       "use Dense: {units: 1, activation: sigmoid} with BinaryCrossEntropy, or Dense: {units: 2, "
       "activation: softmax}"},
      {"an output is named after its layer: Dense(10, {.name = \"label\"})",
       "an output is named after its layer: Dense: {units: 10, name: \"label\"}"},
      {"add Reshape({28, 28, 1}) before it", "add Reshape: [28, 28, 1] before it"},
      {"leave such columns out: .ignore = {\"c\"}", "leave such columns out: ignore: [\"c\"]"},
      {".missing = data::Missing::drop leaves such rows out", "missing: drop leaves such rows out"},
      {"ask for them: compile(.., {.ema = 0.999})", "ask for them: compile: {ema: 0.999}"},
      {"plain and .gz files can be read; \"Dense(1)\" is a text",
       "plain and .gz files can be read; \"Dense(1)\" is a text"},
      {"check a loss of your own for log(0) and 0/0",
       "check a loss of your own for log(0) and 0/0"},
      {"convert one-hot rows with y.to(DType::f32)",
       "goneuron train --help-config tells what every key can have"}};
  for (const auto& [cpp, words] : all)
    EXPECT_EQ(config::in_words_of_config("ShapeError: fit() (run.yaml:5): no\n  hint   " + cpp),
              "ShapeError: fit (run.yaml:5): no\n  hint   " + words);
  EXPECT_EQ(config::in_words_of_config("DataError: predict() (src/cli/predict.cpp:40): no"),
            "DataError: predict: no");
  // What the user names stays as it is.
  for (const std::string text :
       {"there is a run in run/MSE(2) already\n  go on   goneuron resume run/MSE(2)",
        "a::b.yaml: cannot read the config", ".test/nothere: there is no such folder",
        "my data (train.h:5).csv: no\n  file    Adam(0.1, {.beta1 = 0.5}).csv"})
    EXPECT_EQ(config::in_words_of_config(text), text);
  std::string deep;
  for (int i = 0; i < 50000; ++i) deep += "Dense(";
  EXPECT_EQ(config::in_words_of_config("no\n  hint   " + deep), "no\n  hint   " + deep);
  EXPECT_EQ(config::in_words_of_config("no (" + deep), "no (" + deep);
}

TEST(ConfigWords, LeaveErrorsOfConfigsAsTheyAreAndNoCppInHints) {
  for (const RefusedConfig& refused : refused_configs())
    EXPECT_EQ(config::in_words_of_config(refusal(refused)), refusal(refused));
  std::istringstream errors(file_text(GONEURON_SOURCE_DIR "/tests/fixtures/errors.txt"));
  int hints = 0;
  for (std::string line; std::getline(errors, line);) {
    if (line.rfind("  hint ", 0) != 0 || line.find("numpy.") != std::string::npos) continue;
    const std::string words = config::in_words_of_config("GraphError: no\n" + line);
    for (const char* cpp : {"::", "{.", ") {", "->", "()"})
      EXPECT_EQ(words.find(cpp), std::string::npos) << words;
    ++hints;
  }
  EXPECT_GT(hints, 500);
}

TEST(ConfigSplit, SharesThatLeaveNothingToTrainOnAreRefused) {
  const auto refused = [](const std::string& split, const std::vector<std::string>& set = {}) {
    const Config c = Config::parse(changed("", "split: " + split), "run.yaml", set);
    return message_of<FormatError>([&] { config::load_data(c); });
  };
  expect_contains(refused("{validation: 0.6, test: 0.7}"),
                  {"run.yaml:5:32: the shares of split, 0.6 and 0.7, are 1 or more together"});
  expect_contains(refused("{validation: 0.7, test: 0.3}"), {"0.7 and 0.3, are"});
  expect_contains(refused("{test: 0.7}", {"split.validation=0.5"}), {"0.5 and 0.7, are"});
  const Config few = Config::parse(changed("", "split: {validation: 0.001}"), "run.yaml",
                                   {"data.fashion_mnist.take=50"});
  config::load_data(few);  // of classes one each
}

/// What a model is trained from, and the weights that it gets: the demo's program and its config.
std::map<std::string, Tensor> weights_of(const Model& model) {
  std::map<std::string, Tensor> all;
  for (const Weight& weight : model.weights()) all.emplace(weight.name, weight.value);
  return all;
}

TEST(ConfigDemo, GetsTheSameBitsAsTheProgram) {
  constexpr i64 samples = 1000, epochs = 2;
  const Config c = Config::read(GONEURON_SOURCE_DIR "/examples/configs/fashion_mnist.yaml",
                                {"fit.epochs=2", "data.fashion_mnist.take=1000", "seed=3"});
  const config::Loaded loaded = config::load_data(c);
  Model from_config = config::build_model(c, loaded.train.x_shape(), loaded.train.x_dtype());
  config::compile_model(c, from_config, loaded.train);
  from_config.fit(loaded.train, config::fit_options(c, loaded));

  const auto [train, test] = data::fashion_mnist();  // as in examples/demo.cpp
  auto model = Sequential({
      Conv2D(32, 3, {.padding = Same, .activation = ReLU}),
      MaxPool2D(2),
      Flatten(),
      Dense(10, Softmax),
  });
  model.build(train.x_shape());
  model.compile(Adam(0.001), CrossEntropy, {Accuracy}, {.seed = 3});
  model.fit(train.take(samples),
            {.epochs = epochs, .batch_size = 32, .validation = test.take(samples), .seed = 3});
  const auto a = weights_of(from_config), b = weights_of(model);
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, value] : a) {
    ASSERT_TRUE(b.count(name)) << name;
    EXPECT_TRUE(value == b.at(name)) << name;
  }
  const Tensor x = test.take(50).arrays().x;
  EXPECT_TRUE(from_config.predict(x) == model.predict(x));
}

}  // namespace
}  // namespace goneuron
