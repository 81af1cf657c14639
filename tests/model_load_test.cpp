// Loading models: a file that is damaged, or whose parts do not fit together, is a FormatError that
// says at which byte; what loads can be used.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "graph/expr.h"
#include "io/model_file.h"
#include "model_testing.h"
#include "train/model_impl.h"

namespace goneuron {
namespace {

class ModelLoad : public testing::Test {
 protected:
  ModelLoad()
      : path(std::filesystem::temp_directory_path() /
             ("model_load_test_" + std::to_string(getpid()))) {
    auto model = Sequential({Dense(2, Tanh), Dense(1)});
    model.compile(Adam(0.01), MSE, {MeanAbsoluteError});
    model.train_on_batch(x, y);
    expected = model.predict(x);
    model.save(path);
  }
  ~ModelLoad() override { std::filesystem::remove(path); }

  std::string bytes() const {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string& bytes) const { std::ofstream(path, std::ios::binary) << bytes; }
  /// What load() says; empty when it succeeds and the model predicts.
  std::string load_error() const {
    try {
      Model::load(path).predict(x);
    } catch (const FormatError& error) {
      return error.what();
    }
    return "";
  }

  const Tensor x = values({4, 3}), y = values({4, 1}, 7);
  const std::string path;
  Tensor expected;
};

TEST_F(ModelLoad, GoesOnWhereItWas) {
  auto again = Model::load(path);
  EXPECT_TRUE(same_bits(again.predict(x), expected));
  auto twin = Model::load(path);
  twin.train_on_batch(x, y);
  EXPECT_FALSE(same_bits(twin.predict(x), expected));
}

TEST_F(ModelLoad, TruncatedAtEveryByte) {
  const std::string whole = bytes();
  for (size_t size = 0; size < whole.size(); ++size) {
    std::filesystem::resize_file(path, size);
    ASSERT_NE(load_error().find("): " + path + ": byte "), std::string::npos) << size;
    write(whole);
  }
}

TEST_F(ModelLoad, ChangedLengthFields) {
  const std::string whole = bytes();
  for (size_t bit = 0; bit < 64; ++bit) {
    std::string changed = whole;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ 1 << bit % 8);
    write(changed);
    ASSERT_NE(load_error().find("): " + path + ": byte "), std::string::npos) << "bit " << bit;
  }
}

TEST_F(ModelLoad, EveryByteChangedIsRefusedOrLoads) {
  const std::string whole = bytes();
  size_t refused = 0;
  for (size_t i = 8; i < whole.size(); ++i) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    write(changed);
    // Other names, seeds and attributes may still make a model, with which predict() may disagree;
    // nothing but the two kinds of refusal may come.
    try {
      refused += load_error().empty() ? 0 : 1;
    } catch (const ShapeError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, whole.size() / 2);
}

/// `change` is made to what the file holds; then it must not make a model.
std::string refused(const std::string& path, const std::function<void(ModelRecord&)>& change) {
  ModelRecord record = load_model_file(path);
  change(record);
  try {
    model_of(record, path);
  } catch (const FormatError& error) {
    return error.what();
  }
  return "";
}

std::vector<Symbol>& root(ModelRecord& record, const std::string& name) {
  for (auto& [key, symbols] : record.graph.roots)
    if (key == name) return symbols;
  throw std::runtime_error("no root " + name);
}

TEST_F(ModelLoad, PartsThatDoNotFitTogether) {
  const std::string whole = bytes();
  const std::pair<const char*, std::function<void(ModelRecord&)>> cases[] = {
      {"\"inputs\" has 0 items", [](ModelRecord& r) { root(r, "inputs").clear(); }},
      {"1 target for 0 losses",
       [](ModelRecord& r) { root(r, "outputs").push_back(root(r, "outputs")[0]); }},
      {"the input is no input",
       [](ModelRecord& r) { root(r, "inputs") = {root(r, "outputs")[0]}; }},
      {"depends on an input", [](ModelRecord& r) { root(r, "inputs") = {Input({3})}; }},
      {"without the batch",
       [](ModelRecord& r) { root(r, "outputs") = {constant(Tensor(Shape{2}))}; }},
      {"the target is no input",
       [](ModelRecord& r) { root(r, "target") = {root(r, "outputs")[0]}; }},
      {"loss or metric depends on an input",
       [](ModelRecord& r) { root(r, "target") = {Input({1})}; }},
      {"expected one f32", [](ModelRecord& r) { root(r, "loss") = {root(r, "outputs")[0]}; }},
      {"expected one f32",
       [](ModelRecord& r) { root(r, "metrics") = {constant(Tensor(Shape{}, DType::u8))}; }},
      {"1 metrics for 2 names", [](ModelRecord& r) { r.training.metrics.emplace_back("more"); }},
      {"0 metrics for 1 names", [](ModelRecord& r) { root(r, "metrics").clear(); }},
      {"no parameter and no state",
       [](ModelRecord& r) { r.graph.variables[0]->type.dtype = DType::f64; }},
      {"no parameter and no state",
       [](ModelRecord& r) { r.graph.variables[1]->role = Role::slot; }},
      {"learning rate of -1", [](ModelRecord& r) { r.training.optimizer.learning_rate = -1; }},
      {"learning rate of nan",
       [](ModelRecord& r) { r.training.optimizer.learning_rate = std::nan(""); }},
      {"beta1 of 1", [](ModelRecord& r) { r.training.optimizer.beta1 = 1; }},
      {"clip_norm of -1", [](ModelRecord& r) { r.training.optimizer.clip_norm = -1; }},
      {"2 ways to clip",
       [](ModelRecord& r) {
         r.training.optimizer.clip_norm = r.training.optimizer.clip_value = 1;
       }},
      {"2 numbers; expected 3",
       [](ModelRecord& r) {
         r.training.schedule = static_cast<i64>(Schedule::Kind::cosine_decay);
         r.training.schedule_numbers = {0.1, 5};
       }},
      {"a warm-up of 7 steps out of 5",
       [](ModelRecord& r) {
         r.training.schedule = static_cast<i64>(Schedule::Kind::warmup_linear);
         r.training.schedule_numbers = {0.1, 7, 5, 0, 0};
       }},
      {"\"gone/weight\" fits no weight",
       [](ModelRecord& r) {
         r.training.optimizer.groups = {{std::vector<std::string>{"gone/weight"}, {}}};
       }},
      {"learning_rate_scale of -1",
       [](ModelRecord& r) {
         r.training.optimizer.groups = {{"*", {.learning_rate_scale = -1}}};
       }},
      {"an ema of 1", [](ModelRecord& r) { r.training.ema = 1; }},
      {"averaged weights without an ema", [](ModelRecord& r) { r.training.averaged = true; }},
      {"the epoch is 9223372036854775807", [](ModelRecord& r) { r.training.epoch = INT64_MAX; }},
      {"the optimizer's step is", [](ModelRecord& r) { r.training.optimizer_step = INT64_MAX; }},
      {"nothing to train",
       [](ModelRecord& r) {
         for (const auto& variable : r.graph.variables) variable->trainable = false;
       }},
      {"\"optimizer/dense/weight/m\" is [1] f32, its weight is [3, 2] f32", [](ModelRecord& r) {
         for (NamedTensor& item : r.tensors)
           if (item.name == "optimizer/dense/weight/m") item.tensor = Tensor(Shape{1});
       }}};
  ASSERT_EQ(refused(path, [](ModelRecord&) {}), "");
  for (const auto& [part, change] : cases) {
    const std::string text = refused(path, change);
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
    ASSERT_EQ(text.rfind("FormatError: " + path + ": byte ", 0), 0U) << text;
    const size_t byte = std::stoul(text.substr(text.find(": byte ") + 7));
    EXPECT_GT(byte, 8U) << text;
    EXPECT_LT(byte, whole.size()) << text;
  }
}

TEST_F(ModelLoad, ErrorsPointIntoTheFile) {
  const std::string whole = bytes();
  const auto byte = [&](const std::function<void(ModelRecord&)>& change) {
    const std::string text = refused(path, change);
    return std::stoul(text.substr(text.find(": byte ") + 7));
  };
  EXPECT_EQ(whole.substr(byte([](ModelRecord& r) { root(r, "inputs").clear(); }), 15),
            "{\\\"variables\\\":");
  EXPECT_EQ(whole.substr(byte([](ModelRecord& r) { r.training.epoch = INT64_MAX; }), 14),
            "{\\\"compiled\\\":");
}

}  // namespace
}  // namespace goneuron
