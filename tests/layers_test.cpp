// Layers: one call of check_layer() for the contract of each, closed forms for what they compute,
// and the full text of what they refuse.
#include "goneuron/layers.h"

#include <gtest/gtest.h>

#include <cmath>

#include "check_layer.h"
#include "goneuron/moe.h"
#include "graph_value.h"
#include "nn/window.h"

namespace goneuron {
namespace {

TEST(Layers, Contracts) {
  const std::vector<std::string> both = {"weight", "bias"};
  check_layer(Dense(10), {{784}, {10}, 7850, both});
  check_layer(Dense(10, {.bias = false}), {{784}, {10}, 7840, {"weight"}});
  check_layer(Dense(5, Softmax), {{7, 3}, {7, 5}, 20, both});
  check_layer(Dense(784, 10, ReLU), {{784}, {10}, 7850, both});
  check_layer(Conv2D(32, 3), {{28, 28, 1}, {26, 26, 32}, 320, both});
  check_layer(Conv2D(32, 3, ReLU), {{28, 28, 4}, {26, 26, 32}, 1184, both});
  check_layer(Conv2D(8, {3, 5}, {.stride = {2, 1}, .padding = Same, .bias = false}),
              {{9, 9, 2}, {5, 9, 8}, 240, {"weight"}});
  check_layer(Conv2D(1, 32, 3, 1, 1, ReLU), {{28, 28, 1}, {28, 28, 32}, 320, both});
  check_layer(Conv2D(3, 4, 3, 2, 0), {{7, 7, 3}, {3, 3, 4}, 112, both});
  check_layer(Conv2D(6, 3, {.padding = Same, .dilation = 3, .groups = 2}),
              {{9, 8, 4}, {9, 8, 6}, 114, both});
  check_layer(Conv2D(4, 3, {.stride = 2, .dilation = {2, 1}}), {{9, 8, 3}, {3, 3, 4}, 112, both});
  check_layer(DepthwiseConv2D(3), {{9, 8, 4}, {7, 6, 4}, 40, both});
  check_layer(DepthwiseConv2D({1, 3}, {.padding = Same, .depth_multiplier = 2, .bias = false}),
              {{9, 8, 4}, {9, 8, 8}, 24, {"weight"}});
  check_layer(MaxPool2D(2), {{28, 28, 3}, {14, 14, 3}});
  check_layer(MaxPool2D(3, 2), {{28, 28, 3}, {13, 13, 3}});
  check_layer(MaxPool2D({2, 3}, {.stride = {1, 3}}), {{8, 9, 1}, {7, 3, 1}});
  check_layer(MaxPool2D(32, 2, 2, 0), {{28, 28, 32}, {14, 14, 32}});
  check_layer(MaxPool2D(3, {.stride = 2, .padding = Same}), {{5, 5, 1}, {3, 3, 1}});
  check_layer(AvgPool2D(2), {{7, 6, 3}, {3, 3, 3}});
  check_layer(AvgPool2D(3, {.stride = 1, .padding = 1}), {{7, 6, 3}, {7, 6, 3}});
  check_layer(GlobalAvgPool2D(), {{7, 6, 3}, {3}});
  check_layer(Flatten(), {{7, 6, 3}, {126}});
  check_layer(Flatten(), {{}, {1}});
  check_layer(Reshape({28, 28, 1}), {{784}, {28, 28, 1}});
  check_layer(Reshape({7, Any}), {{4, 7, 3}, {7, 12}});
  check_layer(Dropout(0.5), {{7, 3}, {7, 3}});
  check_layer(BatchNorm(), {{7, 3}, {7, 3}, 6, {"weight", "bias", "running_mean", "running_var"}});
  check_layer(BatchNorm({.scale = false, .shift = false}),
              {{5}, {5}, 0, {"running_mean", "running_var"}});
  check_layer(MoE(10, 4, 2), {{7}, {10}, 4 * (7 + 80), {"router", "weight", "bias"}});
  check_layer(MoE(10, 4, 1, {.bias = false}), {{3, 7}, {3, 10}, 4 * 77, {"router", "weight"}});
  check_layer(
      ExpertFeedForward(9, 4, 2),
      {{5, 7}, {5, 7}, 4 * (7 + 72 + 70), {"router", "up", "up_bias", "down", "down_bias"}});
  check_layer(ExpertFeedForward(9, 3, 3, {.activation = SwiGLU, .bias = false}),
              {{5, 7}, {5, 7}, 3 * (7 + 3 * 63), {"router", "up", "down"}});
  check_layer(Activate(GELU), {{7, 3}, {7, 3}});
  check_layer(Layer("twice", [](Symbol x) { return 2 * x; }), {{4}, {4}});
}

TEST(Layers, EveryActivationKeepsTheShape) {
  for (const Activation& activation :
       {ReLU, LeakyReLU(0.2), Sigmoid, Tanh, Softmax, LogSoftmax, GELU, SiLU, ELU(0.5), SELU})
    check_layer(activation, {{3, 5}, {3, 5}});
  const Symbol x = Input({4});
  EXPECT_TRUE((x | Linear) == x);
}

TEST(Layers, BiasesAndWeightsGetPyTorchsFans) {
  const Layer conv = Conv2D(8, {3, 5}, {.bias_init = Zeros});
  conv(Input({9, 9, 2}));
  const auto& weights = conv.impl()->variables;
  EXPECT_EQ(weights[0]->fan_in, 30);
  EXPECT_EQ(weights[0]->fan_out, 120);
  EXPECT_EQ(weights[1]->fan_in, 30);
  EXPECT_EQ(weights[0]->init.kind, Initializer::Kind::torch_default);
  EXPECT_EQ(weights[1]->init.kind, Initializer::Kind::zeros);
}

TEST(Layers, SamePaddingIsKeras) {
  const struct {
    i64 size, kernel, stride, before, after;
  } table[] = {{28, 3, 1, 1, 1}, {28, 3, 2, 0, 1}, {28, 2, 2, 0, 0},  {7, 2, 2, 0, 1},
               {7, 3, 2, 1, 1},  {5, 4, 1, 1, 2},  {5, 2, 3, 0, 0},   {4, 1, 3, 0, 0},
               {10, 7, 4, 2, 3}, {1, 3, 1, 1, 1},  {224, 7, 2, 2, 3}, {6, 3, 2, 0, 1},
               {Any, 4, 1, 1, 2}};
  for (const auto& row : table) {
    const AxisPadding padding = axis_padding(row.size, row.kernel, row.stride, Same);
    EXPECT_EQ(padding.before, row.before) << row.size << " " << row.kernel << " " << row.stride;
    EXPECT_EQ(padding.after, row.after) << row.size << " " << row.kernel << " " << row.stride;
    if (row.size == Any) continue;
    const Symbol y = Conv2D(
        1, row.kernel, {.stride = row.stride, .padding = Same})(Input({row.size, row.size, 1}));
    EXPECT_EQ(y.shape()[1], (row.size + row.stride - 1) / row.stride);
    EXPECT_EQ(y.shape()[2], y.shape()[1]);
  }
}

// ---- values ----

/// What `layer` makes of `x`, its variables set to `weights` in order.
Tensor apply(const Layer& layer, const Tensor& x, const std::vector<Tensor>& weights = {}) {
  const Symbol input = Input(x.shape().without_batch());
  const Symbol y = layer(input);
  for (size_t i = 0; i < weights.size(); ++i) layer.impl()->variables[i]->value = weights[i];
  return GraphValue({{input, x}})(y);
}

const std::vector<float> nine = {1, 2, 3, 4, 5, 6, 7, 8, 9};
Tensor image(float scale = 1) {
  Tensor x(nine, {1, 3, 3, 1});
  for (i64 i = 0; i < x.size(); ++i) x.data<float>()[i] *= scale;
  return x;
}

TEST(LayerValues, Dense) {
  const Tensor weight = floats({1, 2, 3, 4, 5, 6}, {2, 3}), bias = floats({0.5F, 0, -100}, {3});
  expect_near(apply(Dense(3), floats({1, 2}, {1, 2}), {weight, bias}), {9.5F, 12, -85}, 0);
  expect_near(apply(Dense(3, ReLU), floats({1, 2}, {1, 2}), {weight, bias}), {9.5F, 12, 0}, 0);
  expect_near(apply(Dense(3, {.bias = false}), floats({1, 2, 0, 1}, {1, 2, 2}), {weight}),
              {9, 12, 15, 4, 5, 6}, 0);
}

TEST(LayerValues, Conv2D) {
  const Tensor ones = floats({1, 1, 1, 1}, {2, 2, 1, 1}), bias = floats({1}, {1});
  expect_near(apply(Conv2D(1, 2), image(), {ones, bias}), {13, 17, 25, 29}, 0);
  expect_near(apply(Conv2D(1, 2, {.padding = Same, .bias = false}), image(), {ones}),
              {12, 16, 9, 24, 28, 15, 15, 17, 9}, 0);
  const Tensor corner =
      floats({1, 0, 0, 0}, {2, 2, 1, 1});  // cross-correlation: the kernel is not flipped
  expect_near(apply(Conv2D(1, 2, {.bias = false}), image(), {corner}), {1, 2, 4, 5}, 0);
}

TEST(LayerValues, Pools) {
  expect_near(apply(MaxPool2D(2, 1), image()), {5, 6, 8, 9}, 0);
  expect_near(apply(MaxPool2D(2, {.stride = 2, .padding = 1}), image()), {1, 3, 7, 9}, 0);
  expect_near(apply(MaxPool2D(2, {.stride = 2, .padding = 1}), image(-1)), {-1, -2, -4, -5}, 0);
  expect_near(apply(AvgPool2D(2, {.stride = 2, .padding = 1}), image()), {0.25F, 1.25F, 2.75F, 7},
              0);
  expect_near(apply(GlobalAvgPool2D(), image()), {5}, 1e-6);
}

TEST(LayerValues, ShapesKeepTheOrder) {
  expect_near(apply(Flatten(), image()), nine, 0);
  expect_near(apply(Reshape({9, Any}), image()), nine, 0);
}

TEST(LayerValues, BatchNormAndItsRunningStatistics) {
  const Layer layer = BatchNorm();
  const Symbol x = Input({1}), y = layer(x);
  const auto& variables = layer.impl()->variables;
  const float first[] = {2, 0.5F, 0, 1};  // weight, bias, running mean, running variance
  for (size_t i = 0; i < 4; ++i) variables[i]->value = floats({first[i]}, {1});
  GraphValue value({{x, floats({1, 3}, {2, 1})}});
  const float one = 1 / std::sqrt(1 + 1e-5F);
  expect_near(value(y), {0.5F - 2 * one, 0.5F + 2 * one}, 1e-6);
  ASSERT_EQ(y.expr()->call->updates.size(), 2U);
  const Symbol mean = y.expr()->call->updates[0], variance = y.expr()->call->updates[1];
  expect_near(value(mean), {0.2F}, 1e-6);      // 0.9 * 0 + 0.1 * 2
  expect_near(value(variance), {1.1F}, 1e-6);  // 0.9 * 1 + 0.1 * 2, the unbiased variance
}

TEST(LayerValues, DropoutKeepsTheExpectation) {
  const Symbol x = Input({1000}), y = Dropout(0.25)(x);
  Tensor ones(Shape{2, 1000});
  std::fill_n(ones.data<float>(), 2000, 1.0F);
  const Tensor dropped = GraphValue({{x, ones}}, {.seed = 5})(y);
  i64 zeros = 0;
  for (i64 i = 0; i < 2000; ++i) {
    const float value = dropped.data<float>()[i];
    EXPECT_TRUE(value == 0 || std::abs(value - 4.0F / 3) < 1e-6);
    zeros += value == 0;
  }
  EXPECT_NEAR(static_cast<double>(zeros), 500, 80);  // four standard deviations
  EXPECT_TRUE((GraphValue({{x, ones}}, {.seed = 5})(y) == dropped));
  EXPECT_FALSE((GraphValue({{x, ones}}, {.seed = 6})(y) == dropped));
}

TEST(LayerValues, AddAndConcat) {
  const Symbol a = Input({2}), b = Input({2});
  GraphValue value({{a, floats({1, 2, 3, 4}, {2, 2})}, {b, floats({5, 6, 7, 8}, {2, 2})}});
  expect_near(value(Add()({a, b, a})), {7, 10, 13, 16}, 0);
  expect_near(value(Concat()({a, b})), {1, 2, 5, 6, 3, 4, 7, 8}, 0);
}

TEST(LayerValues, Activations) {
  const Tensor x = floats({-1, 0, 2}, {1, 3});
  expect_near(apply(LeakyReLU(0.25), x), {-0.25F, 0, 2}, 0);
  expect_near(apply(ELU(0.5), x), {-0.3160603F, 0, 2}, 1e-6);
  expect_near(apply(SiLU, x), {-0.2689414F, 0, 1.7615942F}, 1e-6);
  expect_near(apply(GELU, x), {-0.1586553F, 0, 1.9544997F}, 1e-6);
  expect_near(apply(SELU, x), {-1.1113307F, 0, 2.1014020F}, 1e-6);
  expect_near(apply(Softmax, x), {0.0420101F, 0.1141952F, 0.8437947F}, 1e-6);
  expect_near(apply(LogSoftmax, x), {-3.1698461F, -2.1698461F, -0.1698460F}, 1e-6);
}

// ---- refusals, by their full text ----

const Site site{"train.cpp", 14}, before{"src/train.cpp", 13};

TEST(LayerErrors, Dense) {
  EXPECT_EQ(
      text_of<ShapeError>([] { Dense(128, 10, Linear, site)(Input({64}, DType::f32, before)); }),
      "ShapeError: Dense (train.cpp:14): last axis is 64; expected 128, which this layer was made "
      "for\n"
      "  input   [batch, 64]   from Input (train.cpp:13)\n"
      "  hint    pass the width that arrives, or let it be inferred: Dense(10)");
  EXPECT_EQ(text_of<ShapeError>([] {
              const Layer layer = Dense(10, {.name = "head"}, site);
              layer(Input({128}), before);
              layer(Input({64}, DType::f32, before), Site{"train.cpp", 15});
            }),
            "ShapeError: Dense \"head\" (train.cpp:14): this input needs a weight of [64, 10]; "
            "expected [128, 10], which the first call made\n"
            "  input    [batch, 64]   from Input (train.cpp:13)\n"
            "  weight   [128, 10]   created by the first call (train.cpp:13)\n"
            "  called   train.cpp:15\n"
            "  hint     a Layer used twice shares its weights; make a second Dense for another "
            "input width");
  EXPECT_EQ(text_of<GraphError>([] { Dense(0, {}, site); }),
            "GraphError: Dense (train.cpp:14): 0 units; expected at least 1\n"
            "  hint   pass the number of units, 1 or more");
  EXPECT_EQ(text_of<GraphError>([] { Dense(2, {.weight_init = RandomUniform(1, 0)}, site); }),
            "GraphError: Dense (train.cpp:14): weight_init is RandomUniform with low above high; "
            "expected low first\n"
            "  hint   pass RandomUniform(low, high)");
}

TEST(LayerErrors, Conv2D) {
  EXPECT_EQ(text_of<ShapeError>([] {
              Conv2D(8, 5, {}, site)(Input({3, 4, 1}, DType::f32, before));
            }),
            "ShapeError: Conv2D (train.cpp:14): a window of 5 x 5 is larger than the image; "
            "expected at most 3 x 4 with padding 0\n"
            "  input   [batch, 3, 4, 1]   from Input (train.cpp:13)\n"
            "  hint    use a smaller kernel, padding = Same, or less pooling before it");
  EXPECT_EQ(text_of<ShapeError>([] { Conv2D(8, 3, {}, site)(Input({784}, DType::f32, before)); }),
            "ShapeError: Conv2D (train.cpp:14): a sample has 1 axis; expected the 3 of an image\n"
            "  input   [batch, 784]   from Input (train.cpp:13)\n"
            "  hint    images are [height, width, channels]: add Reshape({28, 28, 1}), with your "
            "sizes, before it");
  EXPECT_EQ(text_of<ShapeError>([] {
              Conv2D(1, 32, 3, 1, 1, ReLU, site)(Input({9, 9, 3}, DType::f32, before));
            }),
            "ShapeError: Conv2D (train.cpp:14): the input has 3 channels; expected 1, which this "
            "layer was made for\n"
            "  input   [batch, 9, 9, 3]   from Input (train.cpp:13)\n"
            "  hint    give it the channels that arrive, or let them be inferred: Conv2D(32, 3)");
  EXPECT_EQ(
      text_of<ShapeError>([] {
        Conv2D(8, 3, {.stride = 2, .padding = Same}, site)(Input({Any, 9, 3}, DType::f32, before));
      }),
      "ShapeError: Conv2D (train.cpp:14): Same padding with a stride depends on the image's "
      "size, which is not known\n"
      "  input   [batch, any, 9, 3]   from Input (train.cpp:13)\n"
      "  hint    give the size to Input(), or pass the padding as a number");
  EXPECT_EQ(text_of<GraphError>([] {
              Conv2D(8, {0, 3}, {}, site);
            }),
            "GraphError: Conv2D (train.cpp:14): a kernel of 0 x 3; expected at least 1 x 1\n"
            "  hint   pass its side, 3, or height and width, {3, 5}");
  EXPECT_EQ(text_of<GraphError>([] { Conv2D(1, 8, 3, 0, 1, ReLU, site); }),
            "GraphError: Conv2D (train.cpp:14): a stride of 0 x 0; expected at least 1 x 1\n"
            "  hint   the stride is the step from window to window");
  EXPECT_EQ(text_of<GraphError>([] { Conv2D(8, 3, {.padding = -1}, site); }),
            "GraphError: Conv2D (train.cpp:14): a padding of -1; expected 0 or more\n"
            "  hint   pass a number of zeros for every side, Same or Valid");
}

TEST(LayerErrors, Pools) {
  EXPECT_EQ(text_of<ShapeError>([] {
              MaxPool2D(32, 2, 2, 0, site)(Input({8, 8, 16}, DType::f32, before));
            }),
            "ShapeError: MaxPool2D (train.cpp:14): the input has 16 channels; expected 32, which "
            "this layer was made for\n"
            "  input   [batch, 8, 8, 16]   from Input (train.cpp:13)\n"
            "  hint    give it the channels that arrive, or let them be inferred: MaxPool2D(2)");
  EXPECT_EQ(
      text_of<GraphError>([] { AvgPool2D(2, {.padding = 2}, site); }),
      "GraphError: AvgPool2D (train.cpp:14): a padding of 2; expected less than the kernel's 2\n"
      "  hint   a window of padding alone has no value: use less padding or a larger kernel");
}

TEST(LayerErrors, Shapes) {
  EXPECT_EQ(
      text_of<ShapeError>([] {
        Reshape({28, 29}, site)(Input({784}, DType::f32, before));
      }),
      "ShapeError: Reshape (train.cpp:14): a sample has 784 elements; expected 812 for [28, 29]\n"
      "  input   [batch, 784]   from Input (train.cpp:13)\n"
      "  hint    the batch is not part of the shape; one dimension may be Any");
  EXPECT_EQ(text_of<ShapeError>([] {
              Reshape({5, Any}, site)(Input({7}, DType::f32, before));
            }),
            "ShapeError: Reshape (train.cpp:14): a sample has 7 elements; expected a multiple of 5 "
            "for [5, Any]\n"
            "  input   [batch, 7]   from Input (train.cpp:13)\n"
            "  hint    the batch is not part of the shape; one dimension may be Any");
  EXPECT_EQ(
      text_of<GraphError>([] {
        Reshape({Any, Any}, site);
      }),
      "GraphError: Reshape (train.cpp:14): [Any, Any] has more than one Any; expected at most one\n"
      "  hint   only one dimension can be inferred: give the others as numbers");
  EXPECT_EQ(text_of<ShapeError>([] {
              Flatten(site)(Input({Any, 2}, DType::f32, before));
            }),
            "ShapeError: Flatten (train.cpp:14): a dimension of the sample is not known yet\n"
            "  input   [batch, any, 2]   from Input (train.cpp:13)\n"
            "  hint    give it to Input(), or build() the model");
  EXPECT_EQ(text_of<GraphError>([] {
              Input({28, 0}, DType::f32, site);
            }),
            "GraphError: Input (train.cpp:14): a dimension of 0; expected 1 or more, or Any\n"
            "  hint   give the shape of one sample, without the batch");
}

TEST(LayerErrors, AddAndConcat) {
  const Symbol a = Input({4, 3}, DType::f32, before), b = Input({4, 5}, DType::f32, site);
  EXPECT_EQ(text_of<ShapeError>([&] {
              Add(site)({a, b});
            }),
            "ShapeError: Add (train.cpp:14): input 1 is [batch, 4, 3], input 2 is [batch, 4, 5]; "
            "expected one shape for all\n"
            "  input 1   [batch, 4, 3]   from Input (train.cpp:13)\n"
            "  input 2   [batch, 4, 5]   from Input (train.cpp:14)\n"
            "  hint      bring them to one shape first, e.g. with Dense or a 1 x 1 Conv2D");
  EXPECT_EQ(text_of<ShapeError>([&] {
              Concat({.axis = 1}, site)({a, b});
            }),
            "ShapeError: Concat (train.cpp:14): input 1 is [batch, 4, 3], input 2 is [batch, 4, "
            "5]; expected them to differ in axis 1 only\n"
            "  input 1   [batch, 4, 3]   from Input (train.cpp:13)\n"
            "  input 2   [batch, 4, 5]   from Input (train.cpp:14)\n"
            "  hint      bring the other axes to one size first, or join along another axis");
  EXPECT_EQ(text_of<GraphError>([&] {
              Concat({.axis = 0}, site)({a, a});
            }),
            "GraphError: Concat (train.cpp:14): axis 0 is the batch; expected another axis\n"
            "  input 1   [batch, 4, 3]   from Input (train.cpp:13)\n"
            "  input 2   [batch, 4, 3]   from Input (train.cpp:13)\n"
            "  hint      join along another axis; -1 is the last one");
  EXPECT_EQ(text_of<GraphError>([&] { Add(site)(a); }),
            "GraphError: Add (train.cpp:14): 1 input; expected 2 or more\n"
            "  input   [batch, 4, 3]   from Input (train.cpp:13)\n"
            "  hint    call it with a list: Add()({a, b})");
  EXPECT_EQ(Concat({.axis = -1})({a, b}).shape().str(), "[batch, 4, 8]");
}

TEST(LayerErrors, OptionValues) {
  EXPECT_EQ(text_of<GraphError>([] { Dropout(1, site); }),
            "GraphError: Dropout (train.cpp:14): a rate of 1; expected at least 0 and below 1\n"
            "  hint   the rate is the share that is set to zero; 0.5 is usual");
  EXPECT_EQ(text_of<GraphError>([] { Dropout(std::nan(""), site); }),
            "GraphError: Dropout (train.cpp:14): a rate of nan; expected at least 0 and below 1\n"
            "  hint   the rate is the share that is set to zero; 0.5 is usual");
  EXPECT_EQ(
      text_of<GraphError>([] { BatchNorm({.momentum = 1.5}, site); }),
      "GraphError: BatchNorm (train.cpp:14): a momentum of 1.5; expected 0 to 1\n"
      "  hint   momentum is the new batch's share in the running statistics (Keras' 0.9 is 0.1)");
  EXPECT_EQ(text_of<GraphError>([] { BatchNorm({.epsilon = 0}, site); }),
            "GraphError: BatchNorm (train.cpp:14): an epsilon of 0; expected above 0\n"
            "  hint   it keeps features of variance 0 from dividing by 0; 1e-5 is usual");
  EXPECT_EQ(
      text_of<GraphError>([] { Activate(LeakyReLU(-0.5), site); }),
      "GraphError: LeakyReLU (train.cpp:14): an alpha of -0.5; expected a finite number from 0 up\n"
      "  hint   alpha is the slope (LeakyReLU) or the scale (ELU) of the negative side");
}

}  // namespace
}  // namespace goneuron
