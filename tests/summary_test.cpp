// summary() and memory_report() as a reader sees them: what must be in them, and that the figures
// are those of the plan.
#include <gtest/gtest.h>

#include <sstream>

#include "plan_models.h"
#include "train/footprint.h"

namespace goneuron::testing_plan {
namespace {

std::vector<std::string> words(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> list;
  for (std::string word; in >> word;) list.push_back(word);
  return list;
}
/// The first line that starts with `start` once spaces are left out; "" when there is none.
std::string line_of(const std::string& text, const std::string& start) {
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    const size_t at = line.find_first_not_of(" |");
    if (at != std::string::npos && line.compare(at, start.size(), start) == 0) return line;
  }
  return "";
}
bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

Model cnn(const Loss& loss = CrossEntropy) {
  auto model = cnn_model();
  model.build({28, 28, 1});
  model.compile(Adam(0.001), loss, {});
  return model;
}

TEST(Summary, ShowsLayersShapesAndParameters) {
  const std::string text = cnn().summary();
  EXPECT_TRUE(has(line_of(text, "conv2d"), "[batch, 28, 28, 32]")) << text;
  EXPECT_EQ(words(line_of(text, "conv2d")).back(), "320");
  EXPECT_TRUE(has(line_of(text, "max_pool2d"), "[batch, 14, 14, 32]"));
  EXPECT_EQ(words(line_of(text, "dense")).back(), "62,730");
  EXPECT_TRUE(has(text, "63,050 parameters\n"));
}

TEST(Summary, ShowsFrozenLayers) {
  auto model = cnn();
  model.get_layer("conv2d").set_trainable(false);
  const std::string text = model.summary();
  EXPECT_EQ(words(line_of(text, "conv2d")).back(), "frozen");
  EXPECT_TRUE(has(text, "63,050 parameters, 62,730 of them trained"));
}

/// Forward 2 x (28 x 28 x 32 x 9 + 6272 x 10) a sample; backward as much for the convolution's
/// weight and twice for the product: the figure cannot be less, nor much more.
TEST(Summary, ShowsFlopsOfTheStep) {
  const double conv = 2.0 * 28 * 28 * 32 * 9, dense = 2.0 * 6272 * 10;
  const auto line = words(line_of(cnn().summary(32), "a training step of 32 samples:"));
  const double mflop = std::stod(line.at(line.size() - 2));
  EXPECT_GE(mflop, 32 * (conv + conv / 4 + 3 * dense) / 1e6);  // pooling lets a quarter through
  EXPECT_LE(mflop, 1.15 * 32 * (2 * conv + 3 * dense) / 1e6);
}

TEST(Summary, SaysWhatWasFusedAndThatTheLossTakesLogits) {
  const std::string text = cnn().summary();
  EXPECT_TRUE(has(text, "convolution, bias, relu and max pooling in one step"));
  EXPECT_FALSE(has(text, "convolution, bias and relu in one step")) << "a part of the above";
  EXPECT_TRUE(has(text, "softmax and cross_entropy are one function of the logits"));
  EXPECT_FALSE(has(cnn(MSE).summary(), "of the logits"));

  auto binary = Sequential({Dense(3, GELU), Dense(1, Sigmoid)});
  binary.build({4});
  binary.compile(SGD(0.1), BinaryCrossEntropy);
  const std::string other = binary.summary();
  EXPECT_TRUE(has(other, "sigmoid and binary_cross_entropy are one function of the logits"));
  EXPECT_TRUE(has(other, "product, bias and gelu in one step"));
}

TEST(Summary, ShowsHowAStepRuns) {
  set_threads(2);
  const auto model = cnn();
  const std::string text = model.summary(32);
  set_threads(0);
  EXPECT_TRUE(has(line_of(text, "runs"), "on \"cpu\"")) << text;
  EXPECT_TRUE(has(line_of(text, "runs"), "2 threads"));
  EXPECT_TRUE(has(text, "adam_update"));
  EXPECT_TRUE(has(text, "dense/weight"));
  // Every step of the plan that computes, with its tiles.
  const ExpectedStep step = expected_step(*model.impl(), 32);
  for (const PlannedStep& planned : step.plan->steps) {
    const Node& node = step.plan->graph.nodes[static_cast<size_t>(planned.node)];
    if (planned.scheme.tiles == 1 || node.op->alias) continue;
    EXPECT_TRUE(has(text, std::to_string(planned.scheme.tiles) + "  " + planned.scheme.name))
        << node.op->name;
  }
}

TEST(Summary, ShowsEveryArena) {
  const auto model = cnn();
  const std::string text = model.summary(32);
  for (const char* arena : {"weights and states", "gradients", "optimizer", "training, 32 samples"})
    EXPECT_FALSE(line_of(text, arena).empty()) << arena << "\n" << text;
  // Adam keeps two numbers a weight; 64 bytes a variable are lost to alignment at most.
  const Footprint sum = footprint(*model.impl(), expected_step(*model.impl(), 32), 32);
  EXPECT_NEAR(static_cast<double>(sum.optimizer), 2 * 4 * 63050, 2 * 4 * 64);
  EXPECT_NEAR(static_cast<double>(sum.gradients), 4 * 63050, 4 * 64);
}

TEST(Summary, BeforeCompileItIsAPrediction) {
  auto model = cnn_model();
  model.build({28, 28, 1});
  EXPECT_TRUE(has(model.summary(), "a prediction of 32 samples"));
  EXPECT_TRUE(has(model.memory_report(), "memory of a prediction"));
  EXPECT_THROW(cnn_model().summary(), GraphError);
  EXPECT_THROW(model.summary(0), GraphError);
  EXPECT_THROW(model.memory_report(0), GraphError);
}

/// The target is found from the loss, and looking leaves the model as it was.
TEST(Summary, TargetsAreInferred) {
  EXPECT_TRUE(has(cnn().memory_report(), "targets taken to be [batch] i32"));
  EXPECT_TRUE(has(cnn(MSE).memory_report(), "targets taken to be [batch, 10] f32"));
  auto model = cnn();
  const std::string before = model.memory_report();
  Tensor one_hot(Shape{8, 10});
  for (i64 i = 0; i < 8; ++i) one_hot.set({i, i}, 1);
  model.fit(Tensor(Shape{8, 28, 28, 1}), one_hot, {.epochs = 1, .batch_size = 8});
  EXPECT_FALSE(has(model.memory_report(), "taken to be")) << "the target has been seen";
  EXPECT_NE(before, model.memory_report());
}

TEST(Summary, SaysWhyAModelCannotBeTrained) {
  auto model = cnn();
  for (Layer layer : model.layers()) layer.set_trainable(false);
  const std::string text = model.summary();
  EXPECT_TRUE(has(text, "a prediction of 32 samples"));
  EXPECT_TRUE(has(text, "there is nothing to train")) << text;
}

TEST(Summary, ReportOfAFitCountsLastBatchAndValidation) {
  auto model = cnn();
  const Dataset data(Tensor(Shape{100, 28, 28, 1}), Tensor(Shape{100}, DType::i32));
  const std::string text = model.memory_report(data, {.batch_size = 64, .validation_split = 0.3});
  for (const char* part : {"training, 64 samples", "training, 6 samples", "validation, 30 samples"})
    EXPECT_FALSE(line_of(text, part).empty()) << part << "\n" << text;
  // What has run is held already.
  model.fit(data, {.epochs = 1, .batch_size = 64, .validation_split = 0.3});
  const auto told = words(
      line_of(model.memory_report(data, {.batch_size = 64, .validation_split = 0.3}), "total"));
  ASSERT_EQ(told.size(), 11U);
  EXPECT_GT(std::stod(told[5]), 0.9 * std::stod(told[3]));
}

}  // namespace
}  // namespace goneuron::testing_plan
