// Model files: what is saved comes back bit for bit, and what does not fit is refused.
#include "io/model_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "graph/layer_impl.h"
#include "graph/op_def.h"
#include "graph_value.h"

namespace goneuron {
namespace {

namespace fs = std::filesystem;

float next_value() {
  static std::uint32_t state = 1;
  state = state * 1664525U + 1013904223U;
  return static_cast<float>(state >> 8) * 0x1p-23F - 1;
}

Tensor values(const Shape& shape) {
  Tensor out(shape);
  for (i64 i = 0; i < out.size(); ++i) out.data()[i] = next_value();
  return out;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() &&
         (a.bytes() == 0 || std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.bytes())) == 0);
}

// A convolution, a dense layer used twice, and a function of symbols that calls a layer.
struct Example {
  Layer conv = Conv2D(3, 3, {.padding = Same, .activation = ReLU}).named("conv");
  Layer dense = Dense(8, ReLU).named("dense");
  Layer inner = Dense(8).named("inner");
  Layer custom{"scaled", [this](Symbol s) { return (s | inner) * 0.1 + s; }};
  Symbol x = Input({4, 4, 2});
  ModelRecord record;

  Example() {
    custom.named("scaled");
    const Symbol h = x | conv | Flatten() | Dense(8, Tanh).named("first") | dense | dense | custom;
    record.graph.roots = {{"inputs", {x}}, {"outputs", {h | Softmax}}, {"hidden", {h}}};
    record.graph.layers = {pointer_of(conv.impl()), pointer_of(custom.impl())};
    for (const auto& variable : graph_to_json(record.graph).variables) {
      variable->value = values(variable->type.shape);
      record.add_values({variable});
    }
    record.add("optimizer/dense/weight/m", values({8, 8}));
  }
};

class ModelFile : public ::testing::Test {
 protected:
  void SetUp() override {
    folder = fs::temp_directory_path() / ("goneuron_model_file_" + std::to_string(getpid()));
    fs::create_directory(folder);
    path = (folder / "model.safetensors").string();
  }
  void TearDown() override { fs::remove_all(folder); }
  fs::path folder;
  std::string path;
};

ModelRecord reload(const std::string& path, const ModelRecord& record) {
  save_model_file(path, record);
  ModelRecord back = load_model_file(path);
  for (const auto& variable : back.graph.variables) variable->value = Tensor(variable->type.shape);
  back.copy_values(back.graph.variables);
  return back;
}

std::string read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::string parse_error(const std::string& bytes) {
  return text_of<FormatError>([&] {
    parse_model_file(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), "m");
  });
}

std::string graph_error(const std::string& json) {
  return text_of<FormatError>([&] { graph_from_json(json, "g"); });
}

TEST_F(ModelFile, PredictsTheSameBits) {
  const Example example;
  const ModelRecord back = reload(path, example.record);
  const Tensor input = values({5, 4, 4, 2});
  const auto old_y = example.record.graph.list("outputs"), new_y = back.graph.list("outputs");
  const Tensor before = GraphValue({{example.x, input}})(old_y[0]);
  const Tensor after = GraphValue({{back.graph.list("inputs")[0], input}})(new_y[0]);
  EXPECT_TRUE(same_bits(before, after));
  EXPECT_TRUE(same_bits(back.find("optimizer/dense/weight/m")->tensor,
                        example.record.find("optimizer/dense/weight/m")->tensor));
  EXPECT_EQ(back.graph.variables.size(), example.record.tensors.size() - 1);
}

TEST_F(ModelFile, KeepsLayersAndWritesTheSameBytesAgain) {
  const Example example;
  const ModelRecord back = reload(path, example.record);
  const std::string first = read_text(path);
  std::vector<std::string> names;
  for (const auto& layer : back.graph.layers) names.push_back(layer->name);
  EXPECT_EQ(names[0], "conv");
  EXPECT_NE(std::find(names.begin(), names.end(), "scaled"), names.end());
  EXPECT_NE(std::find(names.begin(), names.end(), "inner"), names.end());
  EXPECT_EQ(first.find("model_file_test"), std::string::npos) << "the file names a source file";
  EXPECT_EQ(graph_to_json(back.graph).json, graph_to_json(example.record.graph).json);
}

TEST_F(ModelFile, LoadedLayersCanBeCalledAgainAndCloned) {
  const Example example;
  const ModelRecord back = reload(path, example.record);
  const auto layer = [&](const std::string& name) {
    for (const auto& item : back.graph.layers)
      if (item->name == name) return Layer(share(item));
    throw std::runtime_error("no layer " + name);
  };
  const Symbol x = Input({8});
  const Tensor input = values({3, 8});
  for (const char* name : {"dense", "scaled"}) {
    const Layer& original = std::string(name) == "dense" ? example.dense : example.custom;
    const Tensor expected = GraphValue({{x, input}})(original(x));
    EXPECT_TRUE(same_bits(GraphValue({{x, input}})(layer(name)(x)), expected)) << name;
    EXPECT_TRUE(same_bits(GraphValue({{x, input}})(layer(name).clone()(x)), expected)) << name;
  }
  EXPECT_NE(layer("dense").weights()[0].value.raw(),
            layer("dense").clone().weights()[0].value.raw());
  EXPECT_THROW(layer("dense")(Input({9})), ShapeError);
  EXPECT_NE(text_of<GraphError>([&] {
              layer("dense")(std::vector<Symbol>{x, x});
            }).find("2 inputs"),
            std::string::npos);
}

TEST_F(ModelFile, ALayerOutlivesItsModelWithAClearError) {
  std::shared_ptr<LayerImpl> dense;
  {
    const ModelRecord back = reload(path, Example().record);
    for (const auto& item : back.graph.layers)
      if (item->name == "dense") dense = item;
  }
  const std::string error = text_of<GraphError>([&] {
    const Layer layer(share(dense));
    layer(Input({8}));
  });
  EXPECT_NE(error.find("the model that it was loaded with is gone"), std::string::npos) << error;
}

TEST_F(ModelFile, KeepsTrainingFacts) {
  Example example;
  TrainingFacts& facts = example.record.training;
  facts = {.compiled = true,
           .epoch = 3,
           .optimizer_step = 5000,
           .counter = UINT64_MAX,
           .weight_seed = 1,
           .fit_seed = 1ULL << 63};
  facts.optimizer = AdamW(0.1 / 3, {.beta1 = 0.8, .weight_decay = 1e-300});
  facts.loss = "cross_entropy";
  facts.metrics = {"accuracy", "caf\xc3\xa9"};
  facts.shards = 4;
  facts.extra = {{"a", "1"}};
  const TrainingFacts back = reload(path, example.record).training;
  EXPECT_TRUE(back.compiled);
  EXPECT_EQ(back.epoch, 3);
  EXPECT_EQ(back.optimizer_step, 5000);
  EXPECT_EQ(back.counter, UINT64_MAX);
  EXPECT_EQ(back.fit_seed, 1ULL << 63);
  EXPECT_EQ(back.optimizer.kind, Optimizer::Kind::adamw);
  EXPECT_EQ(back.optimizer.learning_rate, 0.1 / 3);
  EXPECT_EQ(back.optimizer.weight_decay, 1e-300);
  EXPECT_EQ(back.loss, facts.loss);
  EXPECT_EQ(back.metrics, facts.metrics);
  EXPECT_EQ(back.shards, 4);
  EXPECT_EQ(back.extra, facts.extra);
}

TEST_F(ModelFile, KeepsSchedulesClippingAndGroups) {
  Example example;
  TrainingFacts& facts = example.record.training;
  facts.optimizer = Adam(0.1, {.decay_norms_and_biases = false,
                               .global_clip_norm = 0.1 / 3,
                               .groups = {{std::vector<std::string>{"a/b", "c|*"},
                                           {.learning_rate_scale = 0.3, .weight_decay = 0}},
                                          {std::vector<std::string>{"d"}, {.trainable = false}}}});
  facts.schedule = static_cast<i64>(Schedule::Kind::warmup_cosine);
  facts.schedule_numbers = {0.1, 2, 10, 0, 1e-300};
  facts.ema = 0.999;
  facts.averaged = true;
  const TrainingFacts back = reload(path, example.record).training;
  EXPECT_EQ(back.optimizer.global_clip_norm, 0.1 / 3);
  EXPECT_EQ(back.optimizer.clip_norm, 0);
  EXPECT_FALSE(back.optimizer.decay_norms_and_biases);
  ASSERT_EQ(back.optimizer.groups.size(), 2U);
  EXPECT_EQ(back.optimizer.groups[0].names, facts.optimizer.groups[0].names);
  EXPECT_EQ(back.optimizer.groups[0].options.learning_rate_scale, 0.3);
  EXPECT_EQ(back.optimizer.groups[0].options.weight_decay, std::optional<double>(0));
  EXPECT_FALSE(back.optimizer.groups[1].options.weight_decay.has_value());
  EXPECT_FALSE(back.optimizer.groups[1].options.trainable);
  EXPECT_EQ(back.schedule, facts.schedule);
  EXPECT_EQ(back.schedule_numbers, facts.schedule_numbers);
  EXPECT_EQ(back.ema, 0.999);
  EXPECT_TRUE(back.averaged);
}

TEST_F(ModelFile, ConstantsComeBackBitForBit) {
  Tensor odd(std::vector<float>{0.1F, -0.0F, 1e-45F, INFINITY});
  const Tensor large = values({40, 4});
  const Symbol x = Input({4});
  ModelRecord record;
  record.graph.roots = {{"inputs", {x}}, {"outputs", {x * constant(odd), constant(large)}}};
  const ModelRecord back = reload(path, record);
  const auto outputs = back.graph.list("outputs");
  EXPECT_TRUE(same_bits(outputs[0].expr()->inputs[1].expr()->constant, odd));
  EXPECT_TRUE(same_bits(outputs[1].expr()->constant, large));
}

TEST_F(ModelFile, DeepGraphsAreSavedLoadedAndFreed) {
  Symbol y = Input({1});
  ModelRecord record;
  record.graph.roots = {{"inputs", {y}}};
  for (int i = 0; i < 100'000; ++i) y = -y;
  record.graph.roots.emplace_back("outputs", std::vector<Symbol>{y});
  save_model_file(path, record);
  const ModelRecord back = load_model_file(path);
  EXPECT_EQ(topological_order(back.graph.list("outputs")).size(), topological_order({y}).size());
}

TEST_F(ModelFile, AnotherVersionIsNamed) {
  save_model_file(path, Example().record);
  std::string bytes = read_text(path);
  const size_t at = bytes.find("\\\"format\\\":1");
  ASSERT_NE(at, std::string::npos);
  bytes[at + 11] = '9';
  const std::string error = parse_error(bytes);
  EXPECT_NE(error.find("the model has format 9; expected 1, which this version of GoNeuron reads"),
            std::string::npos)
      << error;
  EXPECT_NE(error.find("update GoNeuron"), std::string::npos) << error;
}

TEST_F(ModelFile, ErrorsInTheGraphNameTheByteOfTheFile) {
  save_model_file(path, Example().record);
  std::string bytes = read_text(path);
  const size_t at = bytes.find("matmul");
  ASSERT_NE(at, std::string::npos);
  bytes[at] = 'M';
  const std::string error = parse_error(bytes);
  EXPECT_NE(error.find("(\"Matmul\") cannot be"), std::string::npos) << error;
  const size_t byte = std::stoul(error.substr(error.find("byte ") + 5));
  EXPECT_LT(byte, at) << error;
  EXPECT_LT(at - byte, 20U) << error;
}

TEST_F(ModelFile, EveryTruncationIsRefused) {
  const Symbol x = Input({2});
  ModelRecord record;
  record.graph.roots = {{"inputs", {x}}, {"outputs", {x | Dense(2, ReLU).named("d")}}};
  for (const auto& variable : graph_to_json(record.graph).variables) {
    variable->value = values(variable->type.shape);
    record.add_values({variable});
  }
  save_model_file(path, record);
  const std::string bytes = read_text(path);
  ASSERT_EQ(parse_error(bytes), "no exception");
  for (size_t size = 0; size < bytes.size(); ++size)
    ASSERT_EQ(parse_error(bytes.substr(0, size)).rfind("FormatError: m: byte ", 0), 0U) << size;
  size_t refused = 0;
  for (size_t i = 8; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    const std::string error = parse_error(changed);
    ASSERT_EQ(error.rfind("another exception", 0), std::string::npos) << error << " at byte " << i;
    refused += error.rfind("FormatError", 0) == 0;
  }
  EXPECT_GT(refused, bytes.size() / 2);
}

TEST_F(ModelFile, WeightsOnlyFilesAreNoModels) {
  write_safetensors(path, {{"w", Tensor(Shape{1})}});
  const std::string error = text_of<FormatError>([&] { load_model_file(path); });
  EXPECT_NE(error.find("holds weights, but no model"), std::string::npos) << error;
}

TEST_F(ModelFile, AMissingOrWrongWeightIsRefused) {
  Example example;
  std::erase_if(example.record.tensors,
                [](const NamedTensor& item) { return item.name == "dense/weight"; });
  EXPECT_NE(
      text_of<GraphError>([&] { save_model_file(path, example.record); }).find("dense/weight"),
      std::string::npos);
  save_model_file(path, Example().record);
  std::string bytes = read_text(path);
  const size_t at = bytes.rfind("\"dense/weight\"");
  ASSERT_NE(at, std::string::npos);
  bytes.replace(at, 14, "\"dense/Weight\"");
  const std::string error = parse_error(bytes);
  EXPECT_NE(error.find("no tensor \"dense/weight\""), std::string::npos) << error;
}

TEST(GraphJson, RefusesACallThatFeedsItself) {
  const std::string text =
      R"({"variables":[],"layers":[{"kind":"Custom","prefix":"c","name":"c","trainable":true,"inputs":[1,1],"variables":[]}],)"
      R"("calls":[{"layer":0,"inputs":[[1,0]]}],"nodes":[{"input":"x","dtype":"f32","shape":[-1,4]},)"
      R"({"op":"relu","inputs":[[0,0]],"call":0}],"roots":{"outputs":[[1,0]]}})";
  EXPECT_NE(graph_error(text).find("made by the call itself"), std::string::npos)
      << graph_error(text);
  // A later call that refers to nothing: the cycle of the first must not be left behind. (A leak
  // is found by the sanitizer's run of this test.)
  std::string dangling = text;
  dangling.replace(dangling.find("]}],\"nodes\""), 2, R"(]},{"layer":0,"inputs":[[9,0]]})");
  EXPECT_NE(graph_error(dangling).find("node 9 is not among the 2"), std::string::npos)
      << graph_error(dangling);
  std::string good = text;
  good.replace(good.find("[[1,0]]"), 7, "[[0,0]]");
  EXPECT_EQ(graph_error(good), "no exception");
}

TEST(GraphJson, RefusesWhatDoesNotFit) {
  const auto graph = [](const std::string& nodes, const std::string& roots = "") {
    return R"({"variables":[],"layers":[],"calls":[],"nodes":[)" + nodes + R"(],"roots":{)" +
           roots + "}}";
  };
  const std::string x = R"({"input":"x","dtype":"f32","shape":[-1,4]})";
  EXPECT_EQ(graph_error(graph(x, R"("inputs":[[0,0]])")), "no exception");
  const auto expect = [](const std::string& error, const char* part) {
    EXPECT_EQ(error.rfind("FormatError: g: byte ", 0), 0U) << error;
    EXPECT_NE(error.find(part), std::string::npos) << "expected \"" << part << "\" in: " << error;
  };
  expect(graph_error(graph(R"({"op":"relu","inputs":[[0,0]]})")), "node 0 is not among the 0");
  expect(graph_error(graph(x + R"(,{"op":"relu","inputs":[[0,1]]})")), "node 0 has 1 outputs");
  expect(graph_error(graph(x + R"(,{"op":"relu","inputs":[]})")),
         "node 1 (\"relu\") cannot be: ShapeError");
  expect(graph_error(graph(x + R"(,{"op":"system","inputs":[[0,0]]})")),
         "node 1 (\"system\") cannot be: there is no op named");
  expect(graph_error(graph(x + R"(,{"op":"relu","inputs":[[0,0]],"call":0})")),
         "there is none before");
  expect(graph_error(graph(R"({"input":"x","dtype":"f32","shape":[4611686018427387904,4]})")),
         "does not fit in 64 bits");
  expect(graph_error(graph(R"({"constant":"f32","shape":[2],"hex":"00"})")), "needs 8 bytes");
  expect(graph_error(graph(R"({"constant":"f32","shape":[100000000000],"hex":""})")),
         "needs 400000000000 bytes");
  expect(graph_error(graph(x, R"("outputs":[[1,0]])")), "node 1 is not among the 1");
  expect(graph_error(R"({"layers":[]})"),
         "found the member \"layers\", expected the member \"variables\"");
  std::string many;
  for (int i = 0; i < 20'000; ++i) many += (i ? "," : "") + x;
  expect(graph_error(graph(many)), "more memory than twice the file's size + 1 MB");
}

TEST_F(ModelFile, WeightsMatchByName) {
  const Layer dense = Dense(2).named("dense"), other = Dense(3).named("other");
  const Symbol x = Input({2});
  dense(x), other(x);
  auto variables = dense.impl()->variables;
  variables.insert(variables.end(), other.impl()->variables.begin(), other.impl()->variables.end());
  for (const auto& variable : variables) variable->value = Tensor(variable->type.shape);
  Tensor half = Tensor(std::vector<float>{0.5F, -2}).to(DType::f16);
  write_safetensors(path, {{"dense/weight", Tensor(std::vector<float>{1, 2, 3, 4}, {2, 2})},
                           {"dense/bias", half},
                           {"other/weight", Tensor(Shape{3, 2})},
                           {"stranger", Tensor(Shape{1})}});
  const WeightsReport report = match_weights(variables, read_safetensors(path));
  EXPECT_EQ(report.loaded, (std::vector<std::string>{"dense/weight", "dense/bias"}));
  EXPECT_EQ(report.missing, std::vector<std::string>{"other/bias"});
  EXPECT_EQ(report.unexpected, std::vector<std::string>{"stranger"});
  EXPECT_EQ(report.mismatched,
            std::vector<std::string>{"other/weight: [3, 2] in the file, [2, 3] in the model"});
  EXPECT_EQ(variables[0]->value, Tensor(std::vector<float>{1, 2, 3, 4}, {2, 2}));
  EXPECT_EQ(variables[1]->value, Tensor(std::vector<float>{0.5F, -2}));
  EXPECT_EQ(report.str(),
            "2 loaded, 1 missing, 1 unexpected, 1 mismatched\n"
            "  missing     other/bias\n"
            "  unexpected  stranger\n"
            "  mismatched  other/weight: [3, 2] in the file, [2, 3] in the model");
}

}  // namespace
}  // namespace goneuron
