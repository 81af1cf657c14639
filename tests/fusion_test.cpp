// Fused steps: a product or a convolution with its bias and activation (and pooling) is one step of
// the plan, forward, and gives what its parts give, within 1e-6 of the largest value, gradients
// included. The parts run through the same passes but for that one.
#include <gtest/gtest.h>

#include <cmath>

#include "backends/cpu/cpu_backend.h"
#include "graph/passes/cleanup.h"
#include "graph/passes/trace.h"
#include "plan_models.h"
#include "plan_run.h"
#include "train/model_impl.h"

namespace goneuron::testing_plan {
namespace {

/// As make_plan(), but for the fuse pass.
Plan unfused_plan(Graph graph) {
  Plan plan{.graph = std::move(graph)};
  drop_dead_nodes(plan.graph);
  sort_nodes(plan.graph);
  choose_tiles(plan, cpu_backend());
  schedule(plan);
  plan_memory(plan);
  return plan;
}

Tensor random_tensor(const Shape& shape, unsigned seed) {
  std::mt19937 random(seed);
  Tensor values(shape);
  for (i64 i = 0; i < values.size(); ++i)
    values.data()[i] = static_cast<float>(random() % 20001) / 10000 - 1;
  return values;
}

/// What a training step computes, and which ops it ran.
struct Outcome {
  std::vector<std::string> ops;
  std::vector<Tensor> results;
  std::vector<std::string> notes;
};

Outcome train_once(const Model& model, i64 batch, const Shape& target, bool fuse) {
  ModelImpl& m = *model.impl();
  const TensorType type{target.with_batch(Any), DType::f32};
  TrainGraph& graph = m.graph_for({type}, true);
  const Shape x = m.inputs[0].shape().without_batch().with_batch(batch),
              y = target.with_batch(batch);
  Graph traced = trace({.inputs = {m.inputs[0], graph.y_true[0]},
                        .input_types = {{x, DType::f32}, {y, DType::f32}},
                        .outputs = {graph.loss, m.outputs[0]},
                        .effects = graph.updates,
                        .training = true});
  const Plan plan =
      fuse ? make_plan(std::move(traced), cpu_backend()) : unfused_plan(std::move(traced));
  StepScalars scalars;
  scalars.learning_rate = 1;
  PlanRun run(plan, Layout::planned, scalars);
  run.set_input(0, random_tensor(x, 1));
  run.set_input(1, random_tensor(y, 2));
  run.run();
  Outcome outcome{{}, run.results(), plan.graph.notes};
  for (const PlannedStep& step : plan.steps)
    outcome.ops.emplace_back(plan.graph.nodes[static_cast<size_t>(step.node)].op->name);
  return outcome;
}

i64 count(const Outcome& outcome, const std::string& op) {
  return std::count(outcome.ops.begin(), outcome.ops.end(), op);
}

void expect_equal_within_rounding(const Outcome& fused, const Outcome& parts) {
  ASSERT_EQ(fused.results.size(), parts.results.size());
  for (size_t r = 0; r < fused.results.size(); ++r) {
    const Tensor &a = fused.results[r], &b = parts.results[r];
    ASSERT_TRUE(a.shape() == b.shape());
    double top = 1e-6, worst = 0;
    for (i64 i = 0; i < a.size(); ++i) {
      top = std::max(top, std::fabs(double{b.data()[i]}));
      const double off = std::fabs(double{a.data()[i]} - double{b.data()[i]});
      worst = std::isnan(off) ? INFINITY : std::max(worst, off);
    }
    EXPECT_LE(worst, 1e-6 * top) << "result " << r;
  }
}

struct Named {
  const char* name;
  Activation activation;
};
const std::vector<Named>& activations() {
  static const std::vector<Named> all = {
      {"linear", Linear},   {"relu", ReLU}, {"leaky_relu", LeakyReLU(0.1)},
      {"sigmoid", Sigmoid}, {"tanh", Tanh}, {"elu", ELU(0.7)},
      {"selu", SELU},       {"gelu", GELU}, {"silu", SiLU}};
  return all;
}

/// Compares, and returns what the fused plan ran.
Outcome compare(const std::vector<Layer>& layers, const Shape& sample, i64 batch,
                const Shape& target) {
  auto model = Sequential(layers);
  model.build(sample);
  model.compile(SGD(1), MSE);
  const Outcome fused = train_once(model, batch, target, true);
  const Outcome parts = train_once(model, batch, target, false);
  for (const char* op : {"linear", "conv2d_fused", "conv2d_pool"}) EXPECT_EQ(count(parts, op), 0);
  expect_equal_within_rounding(fused, parts);
  return fused;
}

TEST(Fusion, ProductBiasAndActivationAreOneStep) {
  for (const Named& activation : activations()) {
    SCOPED_TRACE(activation.name);
    const Outcome fused = compare({Dense(33, activation.activation), Dense(5)}, {40}, 18, {5});
    EXPECT_EQ(count(fused, "linear"), 2);
    EXPECT_EQ(count(fused, "add"), 0);
    if (activation.name != std::string("linear")) {
      EXPECT_EQ(count(fused, activation.name), 0);
    }
  }
}

TEST(Fusion, ConvolutionBiasAndActivationAreOneStep) {
  for (const Named& activation : activations()) {
    SCOPED_TRACE(activation.name);
    const Outcome fused = compare(
        {Conv2D(6, 3, {.padding = 1, .activation = activation.activation}), Flatten(), Dense(4)},
        {9, 8, 3}, 5, {4});
    EXPECT_EQ(count(fused, "conv2d_fused"), 1);
    EXPECT_EQ(count(fused, "conv2d"), 0);
    EXPECT_EQ(count(fused, "add"), 0);
    if (activation.name != std::string("linear")) {
      EXPECT_EQ(count(fused, activation.name), 0);
    }
  }
}

TEST(Fusion, ConvolutionBiasReluAndPoolingAreOneStep) {
  const Outcome fused = compare(
      {Conv2D(32, 3, {.padding = Same, .activation = ReLU}), MaxPool2D(2), Flatten(), Dense(4)},
      {12, 12, 1}, 6, {4});
  EXPECT_EQ(count(fused, "conv2d_pool"), 1);
  EXPECT_EQ(count(fused, "conv2d_pool_weight_grad"), 1);
  for (const char* part : {"conv2d", "conv2d_fused", "relu", "maxpool2d", "relu_grad",
                           "maxpool2d_grad", "conv2d_weight_grad"})
    EXPECT_EQ(count(fused, part), 0) << part;
}

/// Relu goes with the batch norm before it, also behind the sum with a short cut; backwards it is a
/// mask within the batch norm's gradient, but for the sum, whose gradient the short cut needs, too.
TEST(Fusion, BatchNormAndReluAreOneStep) {
  const Layer residual("residual", [](const Symbol& x) {
    const Symbol y = x | Conv2D(6, 3, {.padding = 1, .bias = false}) | BatchNorm() | ReLU |
                     Conv2D(6, 3, {.padding = 1, .bias = false}) | BatchNorm();
    return ((x | Conv2D(6, 1) | BatchNorm()) + y) | ReLU;
  });
  const Outcome fused = compare({residual, Flatten(), Dense(4)}, {9, 8, 3}, 5, {4});
  EXPECT_EQ(count(fused, "batch_norm_relu"), 2);
  EXPECT_EQ(count(fused, "batch_norm_relu_weight_grad"), 1);
  EXPECT_EQ(count(fused, "batch_norm_relu_input_grad"), 1);
  EXPECT_EQ(count(fused, "relu"), 0);
  EXPECT_EQ(count(fused, "relu_grad"), 1);
}

/// A batch norm that something else reads keeps its own output.
TEST(Fusion, BatchNormReadElsewhereStays) {
  const Layer both("both", [](const Symbol& x) {
    const Symbol z = x | BatchNorm();
    return (z | ReLU) + z;
  });
  const Outcome fused = compare({both, Dense(3)}, {16}, 9, {3});
  EXPECT_EQ(count(fused, "batch_norm_relu"), 0);
  EXPECT_EQ(count(fused, "relu"), 1);
}

TEST(Fusion, WithoutBias) {
  const Outcome fused =
      compare({Dense(24, {.activation = GELU, .bias = false}), Dense(3)}, {16}, 9, {3});
  EXPECT_EQ(count(fused, "linear"), 2);
  EXPECT_EQ(count(fused, "gelu"), 0);
}

/// A value between the parts that something else reads is still there.
TEST(Fusion, ValuesReadElsewhereStay) {
  const Layer both("both", [](const Symbol& x) {
    const Symbol z = x | Dense(16);
    return (z | ReLU) + z;
  });
  compare({both, Dense(3)}, {16}, 9, {3});
}

TEST(Fusion, PlanSaysWhatItFused) {
  const Outcome fused = compare({Dense(24, GELU), Dense(3)}, {16}, 9, {3});
  ASSERT_FALSE(fused.notes.empty());
  EXPECT_NE(fused.notes[0].find("gelu"), std::string::npos) << fused.notes[0];
}

}  // namespace
}  // namespace goneuron::testing_plan
