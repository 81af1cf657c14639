// What configs can name: every public layer is there, a layer without options is that of the C++
// factory, and every option does something.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <regex>
#include <set>

#include "config/build.h"
#include "config/check.h"
#include "config/tables.h"
#include "config/yaml.h"
#include "config_cases.h"
#include "goneuron/goneuron.h"

namespace goneuron {
namespace {
using namespace config;

std::string file_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// A model's file: graph, options, first weights, optimizer.
std::string file_of(Model& model) {
  static const std::string path =
      std::filesystem::temp_directory_path() / ("goneuron_config_" + std::to_string(getpid()));
  model.save(path);
  const std::string bytes = file_text(path);
  std::remove(path.c_str());
  return bytes;
}

/// What a layer is tried on.
Shape input_for(const std::string& layer) {
  static const std::set<std::string> images = {"Conv2D", "DepthwiseConv2D", "MaxPool2D",
                                               "AvgPool2D", "GlobalAvgPool2D"};
  static const std::set<std::string> tokens = {"Embedding"};
  if (images.count(layer)) return {8, 8, 4};
  if (tokens.count(layer)) return {6};
  if (layer == "Reshape") return {784};
  return {6, 8};
}

Model model_of(const std::string& layer, const std::string& name) {
  const std::string two = name == "Add" || name == "Concat"
                              ? "[{Activate: {activation: linear, name: a}}, " + layer + "]"
                              : "[" + layer + "]";
  const Config c = Config::parse(changed("model", "model: " + two), "layer.yaml");
  const Shape input = input_for(name);
  Model model = build_model(c, input, name == "Embedding" ? DType::i32 : DType::f32);
  return model;
}

/// Its required options with their examples, and `more`.
std::string written(const Kind& kind, const std::string& more) {
  std::string options = more;
  const auto add = [&](const std::string& option) {
    options += (options.empty() ? "" : ", ") + option;
  };
  for (const Option& option : kind.options)
    if (option.fallback == required && more.rfind(std::string(option.key) + ":", 0) != 0)
      add(std::string(option.key) + ": " + option.example);
  if (std::string(kind.name) == "Add" || std::string(kind.name) == "Concat") add("inputs: [a, a]");
  return "{" + std::string(kind.name) + ": {" + options + "}}";
}

TEST(ConfigLayers, AreAllThatTheHeadersDeclare) {
  // With what they need beside a sequence's layers, or another form of one that is there.
  const std::set<std::string> left_out = {"SequenceUnroller", "TransformerBlockExt"};
  const std::regex factory("^Layer (\\w+)\\(", std::regex::multiline);
  int found = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(GONEURON_SOURCE_DIR "/include/goneuron")) {
    const std::string text = file_text(entry.path());
    for (std::sregex_iterator at(text.begin(), text.end(), factory), end; at != end; ++at) {
      const std::string name = (*at)[1];
      ++found;
      if (left_out.count(name) == 0) {
        EXPECT_NE(find_kind(layer_table(), name), nullptr) << name << " has no row";
      }
    }
  }
  EXPECT_GT(found, 30);
}

struct Plain {
  const char* name;
  std::function<Layer()> make;  // with what the schema's examples say
};

std::vector<Plain> plain_layers() {
  return {
      {"Dense", [] { return Dense(64); }},
      {"Flatten", [] { return Flatten(); }},
      {"Reshape",
       [] {
         return Reshape({28, 28, 1});
       }},
      {"Dropout", [] { return Dropout(0.5); }},
      {"Activate", [] { return Activate(ReLU); }},
      {"Conv2D", [] { return Conv2D(32, 3); }},
      {"DepthwiseConv2D", [] { return DepthwiseConv2D(3); }},
      {"MaxPool2D", [] { return MaxPool2D(3); }},
      {"AvgPool2D", [] { return AvgPool2D(3); }},
      {"GlobalAvgPool2D", [] { return GlobalAvgPool2D(); }},
      {"BatchNorm", [] { return BatchNorm(); }},
      {"LayerNorm", [] { return LayerNorm(); }},
      {"RMSNorm", [] { return RMSNorm(); }},
      {"GroupNorm", [] { return GroupNorm(8); }},
      {"Embedding", [] { return Embedding(128, 64); }},
      {"PositionEmbedding", [] { return PositionEmbedding(128); }},
      {"SinusoidalPositions", [] { return SinusoidalPositions(); }},
      {"GlobalAveragePooling1D", [] { return GlobalAveragePooling1D(); }},
      {"CLSPooling", [] { return CLSPooling(); }},
      {"GlobalAttention", [] { return GlobalAttention(); }},
      {"TimeDistributed", [] { return TimeDistributed(Dense(10)); }},
      {"LSTM", [] { return LSTM(64); }},
      {"GRU", [] { return GRU(64); }},
      {"MultiHeadAttention", [] { return MultiHeadAttention(4); }},
      {"TransformerBlock", [] { return TransformerBlock(4, 256); }},
      {"MoE", [] { return MoE(64, 8, 2); }},
      {"ExpertFeedForward", [] { return ExpertFeedForward(256, 8, 2); }},
  };
}

/// The schema's defaults are those of the factories: graph, options and first weights are the same.
TEST(ConfigLayers, HaveTheDefaultsOfTheFactories) {
  for (const Plain& plain : plain_layers()) {
    SCOPED_TRACE(plain.name);
    const Kind* kind = find_kind(layer_table(), plain.name);
    ASSERT_NE(kind, nullptr);
    Model from_config = model_of(written(*kind, ""), plain.name);
    Model model = Sequential({plain.make()});
    model.build(input_for(plain.name));
    EXPECT_EQ(file_of(from_config), file_of(model));
  }
  EXPECT_EQ(plain_layers().size() + 2, layer_table().kinds.size()) << "but for Add and Concat";
}

/// What an option needs beside it to have a meaning.
std::string beside(const std::string& layer, const std::string& option) {
  if (option == "rope_base" || option == "rope_scale") return "rope: true";
  return option == "dropout" && (layer == "LSTM" || layer == "GRU") ? "layers: 2" : "";
}

/// An option that a row declares and its maker forgets would change nothing.
TEST(ConfigLayers, EveryOptionDoesSomething) {
  for (const Kind* kind : layer_table().kinds)
    for (const Option& option : kind->options) {
      if (option.fallback == required) continue;
      SCOPED_TRACE(std::string(kind->name) + "." + option.key);
      const auto bytes = [&](const std::string& more) {
        Model model = model_of(written(*kind, more), kind->name);
        if (find_option(kind->options, "experts")) model.compile(SGD(0.01), MSE);
        return file_of(model);
      };
      const std::string other = beside(kind->name, option.key);
      EXPECT_NE(bytes(std::string(option.key) + ": " + option.example +
                      (other.empty() ? "" : ", " + other)),
                bytes(other));
    }
}

Model small_model(const std::string& key, const std::string& line) {
  const Config c = Config::parse(changed(key, line), "small.yaml");
  Model model = build_model(c, {6}, DType::f32);
  compile_model(c, model, Dataset(Tensor(Shape{64, 6}), Tensor(Shape{64}, DType::i32)));
  model.train_on_batch(Tensor(Shape{4, 6}), Tensor(Shape{4}, DType::i32));
  return model;
}

TEST(ConfigOptimizers, EveryOptionDoesSomething) {
  for (const Kind* kind : optimizer_table().kinds) {
    Model usual = small_model("", "optimizer: " + std::string(kind->name));
    const std::string before = file_of(usual);
    for (const Option& option : kind->options) {
      SCOPED_TRACE(std::string(kind->name) + "." + option.key);
      const std::string key = option.key;
      std::string value = option.example;
      if (value == option.fallback || (key == "epsilon") || key == "learning_rate" ||
          key == "beta1" || key == "weight_decay")
        value = "0.123";
      const std::string more = key == "nesterov" ? ", momentum: 0.9" : "";
      Model other = small_model(
          "", "optimizer: {" + std::string(kind->name) + ": {" + key + ": " + value + more + "}}");
      EXPECT_NE(file_of(other), before);
    }
  }
}

TEST(ConfigSchedules, AreThoseOfTheFactories) {
  const auto rate = [](const std::string& text, i64 step) {
    Value value = read_yaml(text, "rate.yaml");
    return make_rate(value, {.total_steps = 100})(step);
  };
  for (const i64 step : {0, 7, 50, 99}) {
    EXPECT_EQ(rate("0.25", step), 0.25);
    EXPECT_EQ(rate("StepDecay: {learning_rate: 0.1, step_size: 10, gamma: 0.5}", step),
              StepDecay(0.1, 10, 0.5)(step));
    EXPECT_EQ(rate("ExponentialDecay: {learning_rate: 0.1, gamma: 0.5, decay_steps: 20, staircase: "
                   "true}",
                   step),
              ExponentialDecay(0.1, 0.5, {.decay_steps = 20, .staircase = true})(step));
    EXPECT_EQ(rate("CosineDecay: 0.1", step), CosineDecay(0.1, 100)(step));
    EXPECT_EQ(rate("CosineDecay: {learning_rate: 0.1, total_steps: 60, end: 0.01}", step),
              CosineDecay(0.1, 60, {.end = 0.01})(step));
    EXPECT_EQ(rate("WarmupLinear: {learning_rate: 0.1, warmup_steps: 10, start: 0.02}", step),
              WarmupLinear(0.1, 10, 100, {.start = 0.02})(step));
    EXPECT_EQ(rate("WarmupCosine: {learning_rate: 0.1, warmup_steps: 10, end: 0.02}", step),
              WarmupCosine(0.1, 10, 100, {.end = 0.02})(step));
  }
}

/// The total of a schedule that names none is the training's updates.
TEST(ConfigSchedules, EndWithTheTraining) {
  const Config c = Config::parse(changed("",
                                         "optimizer: {SGD: {learning_rate: {CosineDecay: 0.5}}}\n"
                                         "fit: {epochs: 3, batch_size: 10, accumulate: 2}"),
                                 "run.yaml");
  Model model = build_model(c, {6}, DType::f32);
  // 25 samples: 3 batches, 2 updates an epoch, 6 in all.
  compile_model(c, model, Dataset(Tensor(Shape{25, 6}), Tensor(Shape{25}, DType::i32)));
  for (int i = 0; i < 3; ++i)
    model.train_on_batch(Tensor(Shape{4, 6}), Tensor(Shape{4}, DType::i32));
  EXPECT_EQ(model.learning_rate(), CosineDecay(0.5, 6)(3));
}

TEST(ConfigMetrics, AreAllThatHaveANameAndTheSameOnes) {
  for (const std::string& name : Metric::names())
    EXPECT_NE(find_kind(metric_table(), name), nullptr) << name << " has no row";
  for (const Kind* kind : metric_table().kinds) {
    const Value value = scalar(kind->name);
    EXPECT_EQ(make_metric(value, {}).name(), Metric(kind->name).name());
  }
}

std::vector<const Table*> all_tables() {
  return {&source_table(),      &layer_table(),   &activation_table(), &feed_forward_table(),
          &initializer_table(), &loss_table(),    &metric_table(),     &optimizer_table(),
          &schedule_table(),    &callback_table()};
}

void check_examples(std::span<const Option> options, const std::string& owner) {
  std::set<std::string> keys;
  for (const Option& option : options) {
    SCOPED_TRACE(owner + "." + option.key);
    EXPECT_TRUE(keys.insert(option.key).second) << "twice";
    EXPECT_GT(std::string(option.meaning).size(), 3U);
    const Value example = read_yaml(std::string(option.key) + ": " + option.example, "schema");
    check_option(example.items.at(0), option, owner);
    const std::string fallback = option.fallback == required ? "" : option.fallback;
    if (fallback.empty() || fallback == "none") continue;
    const Value usual = read_yaml(std::string(option.key) + ": '" + fallback + "'", "schema");
    Value value = usual.items.at(0);
    value.quoted = false;
    if (fallback[0] == '[' || fallback[0] == '{') value = read_yaml(fallback, "schema");
    check_option(value, option, owner);
  }
}

/// What the help shows is what the check takes.
TEST(ConfigSchema, ExamplesAndDefaultsAreValid) {
  check_examples(root().options, "");
  for (const Option& option : root().options)
    if (option.section != nullptr) check_examples(option.section->options, option.key);
  for (const Table* table : all_tables()) {
    check_examples(table->common, table->what);
    for (const Kind* kind : table->kinds) check_examples(kind->options, kind->name);
  }
}

/// Makers read options by their names: one that the schema lacks would be a logic_error.
TEST(ConfigCallbacks, AreMadeWithEveryOption) {
  for (const Kind* kind : callback_table().kinds) {
    std::string options;
    for (const Option& option : kind->options)
      options += (options.empty() ? "" : ", ") + std::string(option.key) + ": " + option.example;
    SCOPED_TRACE(kind->name);
    for (const std::string& text :
         {std::string(kind->name), std::string(kind->name) + ": {" + options + "}"}) {
      const Context context{.folder = std::filesystem::temp_directory_path()};
      EXPECT_NE(make_callback(read_yaml(text, "callback"), context), nullptr);
    }
  }
}

TEST(ConfigLosses, AreMadeWithEveryOption) {
  EXPECT_EQ(make_loss(read_yaml("mse", "l"), {}).name(), MSE.name());
  EXPECT_EQ(make_loss(read_yaml("binary_cross_entropy", "l"), {}).name(),
            BinaryCrossEntropy.name());
  const auto loss_of = [](const std::string& loss) {
    const Config c = Config::parse(changed("loss", "loss: " + loss), "loss.yaml");
    Model model = build_model(c, {6}, DType::f32);
    const Tensor x(Shape{4, 6}), y(std::vector<std::int32_t>{1, 2, 9, 3});
    compile_model(c, model, Dataset(x, y));
    return model.test_on_batch(x, y)["loss"];
  };
  const double usual = loss_of("cross_entropy");
  EXPECT_NE(loss_of("{cross_entropy: {label_smoothing: 0.3}}"), usual);
  EXPECT_NE(loss_of("{cross_entropy: {ignore_index: 9}}"), usual);
}

TEST(ConfigGraph, LayersReadThoseThatTheyName) {
  const Config c = Config::parse(changed("model",
                                         "model:\n"
                                         "  - Dense: {units: 6, activation: relu, name: first}\n"
                                         "  - Dense: {units: 6}\n"
                                         "  - Add: {inputs: [first, input], name: sum}\n"
                                         "  - Dense: {units: 3, inputs: first}\n"
                                         "  - Concat: {inputs: [sum, first]}\n"
                                         "  - Dense: {units: 2, activation: softmax}"),
                                 "graph.yaml");
  Model model = build_model(c, {6}, DType::f32);
  const Symbol x = Input({6});
  const Symbol first = x | Dense(6, {.activation = ReLU, .name = "first"});
  const Symbol sum = Add()({first, x});
  Model same(x, Concat()({sum, first}) | Dense(2, Softmax));
  EXPECT_EQ(model.output().shape(), same.output().shape());
  EXPECT_EQ(model.parameters(), same.parameters());
}

TEST(ConfigGraph, RepeatsLayersWithWeightsOfTheirOwn) {
  const Config c = Config::parse(changed("model", "model: [{Dense: {units: 6, repeat: 3}}]"), "r");
  EXPECT_EQ(build_model(c, {6}, DType::f32).parameters(), 3 * (6 * 6 + 6));
}

}  // namespace
}  // namespace goneuron
