// Losses and metrics: closed forms, stability at large logits, and the full text of what they
// refuse.
#include <gtest/gtest.h>

#include <cmath>

#include "goneuron/layers.h"
#include "goneuron/loss.h"
#include "goneuron/metric.h"
#include "graph/passes/differentiate.h"
#include "graph_value.h"

namespace goneuron {
namespace {

Tensor labels(const std::vector<std::int32_t>& values) { return Tensor(values); }

/// loss(y_true, head(x)) for each sample.
template <class L>
Tensor value_of(const L& loss, const Tensor& y_true, const Tensor& x,
                const Activation& head = Linear) {
  const Symbol input = Input(x.shape().without_batch());
  const Symbol target = Input(y_true.shape().without_batch(), y_true.dtype());
  const Symbol value = loss(target, head(input));
  EXPECT_EQ(value.shape().str(), "[batch]");
  return GraphValue({{input, x}, {target, y_true}})(value);
}

/// d mean(loss) / d x.
Tensor gradient_of(const Loss& loss, const Tensor& y_true, const Tensor& x,
                   const Activation& head) {
  const Symbol input = Input(x.shape().without_batch());
  const Symbol target = Input(y_true.shape().without_batch(), y_true.dtype());
  const Symbol total = mean(loss(target, head(input)), {0});
  return GraphValue({{input, x}, {target, y_true}})(differentiate(total, {input})[0]);
}

std::string ops_of(const Symbol& symbol) {
  std::string names;
  for (const Expr* expr : topological_order({symbol}))
    if (expr->kind == Expr::Kind::op)
      names += std::string(names.empty() ? "" : " ") + expr->op->name;
  return names;
}

TEST(Losses, MseIsTheMeanOverASample) {
  const Tensor p = floats({1, 2, 3, 4}, {2, 2}), t = floats({0, 0, 3, 2}, {2, 2});
  expect_near(value_of(MSE, t, p), {2.5F, 2}, 1e-6);
  expect_near(value_of(MSE, floats({0, 1}, {2}), floats({2, 2}, {2, 1})), {4, 1}, 0);
  expect_near(value_of(MSE, floats({0, 1}, {2, 1}), floats({2, 2}, {2})), {4, 1}, 0);
  expect_near(value_of(MSE, labels({0, 1}), floats({2, 2}, {2, 1})), {4, 1}, 0);
  expect_near(gradient_of(MSE, t, p, Linear), {0.5F, 1, 0, 1}, 1e-6);
}

TEST(Losses, CrossEntropyOfLogits) {
  const Tensor z = floats({0, 0, 0, 1, 2, 3}, {2, 3});
  const float third = std::log(3.0F), last = std::log(1 + std::exp(-1.0F) + std::exp(-2.0F));
  expect_near(value_of(CrossEntropy, labels({1, 2}), z, Softmax), {third, last}, 1e-6);
  expect_near(value_of(CrossEntropy, labels({1, 2}), z, LogSoftmax), {third, last}, 1e-6);
  const Tensor one_hot = floats({0, 1, 0, 0, 0, 1}, {2, 3});
  expect_near(value_of(CrossEntropy, one_hot, z, Softmax), {third, last}, 1e-6);
  expect_near(value_of(CrossEntropy, labels({1, 2}).to(DType::u8), z, Softmax), {third, last},
              1e-6);
  expect_near(value_of(CrossEntropy, labels({1, 2}).reshape({2, 1}), z, Softmax), {third, last},
              1e-6);
  // A share of 0.3 over all classes: 0.1 on each of the others.
  const float smooth = 0.8F * last + 0.1F * (last + 2) + 0.1F * (last + 1);
  expect_near(value_of(CrossEntropy({.label_smoothing = 0.3}), labels({0, 2}), z, Softmax),
              {third, smooth}, 1e-6);
}

TEST(Losses, CrossEntropyOfProbabilities) {
  const Tensor p = floats({0.25F, 0.75F, 0, 1}, {2, 2});
  expect_near(value_of(CrossEntropy, labels({1, 0}), p),
              {-std::log(0.75F), static_cast<float>(-std::log(1e-7))}, 1e-5);
  expect_near(value_of(CrossEntropy, floats({0.5F, 0.5F, 0, 1}, {2, 2}), p),
              {-0.5F * std::log(0.25F) - 0.5F * std::log(0.75F), 0}, 1e-6);
}

// [2, 3] tokens of 3 classes, three of them ignored: the mean over the other three, by hand.
TEST(Losses, IgnoredTargetsCountForNothing) {
  const Tensor z = floats({0, 0, 0, 1, 2, 3, 5, -4, 1, 0, 1, 0, 9, 9, 9, 2, 0, 1}, {2, 3, 3});
  const double last = std::log(1 + std::exp(-1.0) + std::exp(-2.0)), third = std::log(3.0);
  for (const std::int32_t index : {-1, 1, 77}) {  // one that is a class, too
    const Tensor y = labels({0, 2, index, index, index, 0}).reshape({2, 3});
    const auto loss = CrossEntropy({.ignore_index = index});
    for (const Activation& head : {Softmax, LogSoftmax}) {
      const Symbol in = Input({3, 3}), target = Input({3}, DType::i32);
      const Symbol value = loss(target, head(in)), p = head(in);
      GraphValue values({{in, z}, {target, y}});
      EXPECT_NEAR(values(value).item(), (third + last + last) / 3, 1e-6);
      const Tensor gradient = values(differentiate(value, {in})[0]);
      for (i64 i = 0; i < 18; ++i) {
        const i64 token = i / 3, k = i % 3;
        double wanted = 0;
        if (token == 0 || token == 1 || token == 5) {
          double sum = 0;
          for (i64 j = 0; j < 3; ++j) sum += std::exp(double{z.data()[token * 3 + j]});
          const double label = token == 1 ? 2 : 0;
          wanted = (std::exp(double{z.data()[i]}) / sum - (static_cast<double>(k) == label)) / 3;
        }
        EXPECT_NEAR(gradient.data()[i], wanted, 1e-6) << i;
      }
      // Arg max: 0 (right), 2 (right), ignored, ignored, ignored, 0 (right).
      EXPECT_EQ(values(Accuracy({.ignore_index = index})(target, p)).item(), 1);
    }
    const Tensor none = labels({index, index, index, index, index, index}).reshape({2, 3});
    const Symbol in = Input({3, 3}), target = Input({3}, DType::i32);
    EXPECT_EQ(GraphValue({{in, z}, {target, none}})(loss(target, Softmax(in))).item(), 0);
  }
}

TEST(Losses, PositionsAreAveraged) {
  const Tensor z = floats({0, 0, 1, 0}, {1, 2, 2});
  const float half = std::log(2.0F), right = std::log(1 + std::exp(-1.0F));
  const Tensor y = labels({1, 0}).reshape({1, 2});
  expect_near(value_of(CrossEntropy, y, z, Softmax), {(half + right) / 2}, 1e-6);
}

TEST(Losses, BinaryCrossEntropy) {
  const Tensor z = floats({0, 2}, {2, 1}), t = floats({1, 0}, {2});
  const float first = std::log(2.0F), second = std::log(1 + std::exp(2.0F));
  expect_near(value_of(BinaryCrossEntropy, t, z, Sigmoid), {first, second}, 1e-6);
  expect_near(value_of(BinaryCrossEntropy, labels({1, 0}), z, Sigmoid), {first, second}, 1e-6);
  const Tensor p = floats({0.25F, 1, 0.5F, 0}, {2, 2}), two = floats({1, 1, 0, 1}, {2, 2});
  const float clipped = static_cast<float>(-std::log(1e-7));
  expect_near(value_of(BinaryCrossEntropy, two, p),
              {std::log(4.0F) / 2, (std::log(2.0F) + clipped) / 2}, 1e-5);
}

TEST(Losses, LargeLogitsStayFinite) {
  const Tensor z = floats({1000, -1000, -1000, 1000}, {2, 2});
  for (const Activation& head : {Softmax, LogSoftmax}) {
    expect_near(value_of(CrossEntropy, labels({0, 0}), z, head), {0, 2000}, 1e-3);
    expect_near(gradient_of(CrossEntropy, labels({0, 0}), z, head), {0, 0, -0.5F, 0.5F}, 1e-6);
  }
  const Tensor one = floats({1000, -1000, 1000, -1000}, {4, 1}), t = floats({1, 0, 0, 1}, {4, 1});
  expect_near(value_of(BinaryCrossEntropy, t, one, Sigmoid), {0, 0, 1000, 1000}, 1e-3);
  expect_near(gradient_of(BinaryCrossEntropy, t, one, Sigmoid), {0, 0, 0.25F, -0.25F}, 1e-6);
}

TEST(Losses, TheStableFormsSkipTheActivation) {
  const Symbol x = Input({5}), index = Input({}, DType::i32), row = Input({5});
  EXPECT_EQ(ops_of(CrossEntropy(index, Softmax(x))), "softmax_cross_entropy");
  EXPECT_EQ(ops_of(CrossEntropy(index, LogSoftmax(x))), "softmax_cross_entropy");
  EXPECT_EQ(ops_of(CrossEntropy(index, x)), "check_range maximum log nll");
  EXPECT_EQ(ops_of(CrossEntropy({.from_logits = true})(index, x)), "softmax_cross_entropy");
  EXPECT_EQ(ops_of(BinaryCrossEntropy({.from_logits = true})(row, x)),
            "check_range sigmoid_binary_cross_entropy mean");
  EXPECT_EQ(ops_of(BinaryCrossEntropy(row, Sigmoid(x))),
            "check_range sigmoid_binary_cross_entropy mean");
}

TEST(Losses, AreMadeOfFunctions) {
  const Loss l1("l1", [](Symbol t, Symbol p) { return mean(abs(t - p)); });
  expect_near(value_of(l1, floats({1, 1}, {1, 2}), floats({2, 4}, {1, 2})), {2}, 0);
}

TEST(Metrics, Accuracy) {
  const Tensor p = floats({0.1F, 0.9F, 0.8F, 0.2F, 0.5F, 0.5F}, {3, 2});
  expect_near(value_of(Accuracy, labels({1, 1, 0}), p), {1, 0, 1}, 0);
  expect_near(value_of(Accuracy, labels({1, 1, 0}).to(DType::u8), p), {1, 0, 1}, 0);
  expect_near(value_of(Accuracy, floats({0, 1, 0, 1, 1, 0}, {3, 2}), p), {1, 0, 1}, 0);
  const Tensor one = floats({0.6F, 0.4F, 0.5F}, {3, 1});
  expect_near(value_of(Accuracy, floats({1, 1, 0}, {3}), one), {1, 0, 1}, 0);
  expect_near(value_of(Accuracy, labels({1, 1, 0}), one), {1, 0, 1}, 0);
  expect_near(value_of(Metric("accuracy"), labels({1, 1, 0}), p), {1, 0, 1}, 0);
}

TEST(Metrics, MeanAbsoluteError) {
  expect_near(value_of(MeanAbsoluteError, floats({1, 1}, {1, 2}), floats({2, -2}, {1, 2})), {2}, 0);
  expect_near(value_of(MeanAbsoluteError, labels({3}), floats({1}, {1, 1})), {2}, 0);
}

// ---- refusals, by their full text ----

const Site site{"train.cpp", 14};

Symbol prediction(i64 outputs, const Activation& head = Softmax) {
  return Dense(outputs, {.activation = head, .name = "out"}, site)(Input({4}));
}
Symbol target(const Shape& shape, DType dtype = DType::f32) { return Input(shape, dtype); }

TEST(LossErrors, NothingIsBroadcast) {
  EXPECT_EQ(text_of<ShapeError>([] { MSE(target({3}), prediction(4, Linear)); }),
            "ShapeError: MSE: targets are [batch, 3]; expected the predictions' [batch, 4]\n"
            "  targets       [batch, 3] f32\n"
            "  predictions   [batch, 4] f32   from Dense \"out\" (train.cpp:14)\n"
            "  hint          a loss does not broadcast: give the model's last layer as many "
            "outputs as a target has values");
  for (const Shape& shape : {Shape{}, Shape{1}, Shape{1, 4}, Shape{4, 1, 1}})
    EXPECT_THROW(MSE(target(shape), prediction(4)), ShapeError) << shape.str();
  EXPECT_THROW(MSE(target({1, 1}), Input({})), ShapeError) << "two missing ones";
  EXPECT_NO_THROW(MSE(target({4, 1}), prediction(4)));
  EXPECT_EQ(text_of<ShapeError>([] { MeanAbsoluteError(target({3}), prediction(4)); }),
            "ShapeError: MeanAbsoluteError: targets are [batch, 3]; expected the predictions' "
            "[batch, 4]\n"
            "  targets       [batch, 3] f32\n"
            "  predictions   [batch, 4] f32   from Dense \"out\" (train.cpp:14)\n"
            "  hint          a metric does not broadcast: targets and predictions have one shape");
  EXPECT_EQ(
      text_of<ShapeError>([] { BinaryCrossEntropy(target({}), prediction(2)); }),
      "ShapeError: BinaryCrossEntropy: targets are [batch]; expected the predictions' [batch, 2]\n"
      "  targets       [batch] f32\n"
      "  predictions   [batch, 2] f32   from Dense \"out\" (train.cpp:14)\n"
      "  hint          it takes one output a target, e.g. Dense(1, Sigmoid); for class indices use "
      "Dense(classes, Softmax) with CrossEntropy");
}

TEST(LossErrors, ClassTargets) {
  EXPECT_EQ(text_of<TypeError>([] { CrossEntropy(target({}), prediction(10)); }),
            "TypeError: CrossEntropy: floating-point targets of [batch]; expected integers as "
            "class indices\n"
            "  targets       [batch] f32\n"
            "  predictions   [batch, 10] f32   from Dense \"out\" (train.cpp:14)\n"
            "  hint          pass a std::vector<std::int32_t>, or y.to(DType::i32)");
  EXPECT_EQ(text_of<ShapeError>([] { CrossEntropy(target({3}), prediction(10)); }),
            "ShapeError: CrossEntropy: one-hot rows of 3 classes; expected the predictions' 10\n"
            "  targets       [batch, 3] f32\n"
            "  predictions   [batch, 10] f32   from Dense \"out\" (train.cpp:14)\n"
            "  hint          end the model with Dense(3, Softmax)");
  EXPECT_EQ(text_of<TypeError>([] { CrossEntropy(target({10}, DType::i32), prediction(10)); }),
            "TypeError: CrossEntropy: integer targets of [batch, 10]; expected class indices "
            "[batch] or one-hot rows in floating point\n"
            "  targets       [batch, 10] i32\n"
            "  predictions   [batch, 10] f32   from Dense \"out\" (train.cpp:14)\n"
            "  hint          convert one-hot rows with y.to(DType::f32), or take their y.argmax()");
  EXPECT_EQ(text_of<ShapeError>([] { CrossEntropy(target({3}, DType::i32), prediction(10)); }),
            "ShapeError: CrossEntropy: targets are [batch, 3]; expected class indices [batch] or "
            "one-hot rows [batch, 10]\n"
            "  targets       [batch, 3] i32\n"
            "  predictions   [batch, 10] f32   from Dense \"out\" (train.cpp:14)\n"
            "  hint          reshape the targets, or give the last layer one output a class");
  EXPECT_EQ(text_of<ShapeError>(
                [] { CrossEntropy(target({}, DType::i32), Input({}, DType::f32, site)); }),
            "ShapeError: CrossEntropy: predictions are [batch]; expected a last axis of classes\n"
            "  targets       [batch] i32\n"
            "  predictions   [batch] f32   from Input (train.cpp:14)\n"
            "  hint          end the model with Dense(classes, Softmax)");
  EXPECT_EQ(text_of<ShapeError>([] { CrossEntropy(target({}, DType::i32), prediction(1)); }),
            "ShapeError: CrossEntropy: predictions are [batch, 1]; expected two classes or more: "
            "with one the loss is always 0\n"
            "  predictions   [batch, 1]   from Dense \"out\" (train.cpp:14)\n"
            "  hint          use Dense(1, Sigmoid) with BinaryCrossEntropy, or Dense(2, Softmax)");
  EXPECT_EQ(
      text_of<TypeError>([] { Accuracy(target({}), prediction(10)); }),
      "TypeError: Accuracy: floating-point targets of [batch]; expected integers as class indices\n"
      "  targets       [batch] f32\n"
      "  predictions   [batch, 10] f32   from Dense \"out\" (train.cpp:14)\n"
      "  hint          pass a std::vector<std::int32_t>, or y.to(DType::i32)");
}

TEST(LossErrors, PredictionsThatAreNoProbabilities) {
  EXPECT_EQ(
      text_of<GraphError>([] { CrossEntropy(target({}, DType::i32), prediction(3, Linear)); }),
      "GraphError: CrossEntropy: predictions are no probabilities; expected a model that ends "
      "in Softmax\n"
      "  predictions   [batch, 3] f32   from Dense \"out\" (train.cpp:14)\n"
      "  hint          give its last layer the activation Softmax, or say {.from_logits = "
      "true} to CrossEntropy");
  EXPECT_EQ(text_of<GraphError>([] { BinaryCrossEntropy(target({}), prediction(1, ReLU)); }),
            "GraphError: BinaryCrossEntropy: predictions are no probabilities; expected a model "
            "that ends in Sigmoid\n"
            "  predictions   [batch, 1] f32   from Dense \"out\" (train.cpp:14)\n"
            "  hint          give its last layer the activation Sigmoid, or say {.from_logits = "
            "true} to BinaryCrossEntropy");
  for (const Activation& head : {Linear, ReLU, LeakyReLU, Tanh, GELU, SiLU, ELU, SELU}) {
    EXPECT_THROW(CrossEntropy(target({3}), prediction(3, head)), GraphError) << head.op();
    EXPECT_NO_THROW(CrossEntropy({.from_logits = true})(target({3}), prediction(3, head)));
  }
  const auto no_bias = Dense(3, {.bias = false})(Input({4}));
  EXPECT_THROW(CrossEntropy(target({3}), no_bias), GraphError);
  EXPECT_THROW(Perplexity.evidence(target({}, DType::i32), prediction(3, Linear)), GraphError);
  EXPECT_NO_THROW(
      Perplexity({.from_logits = true}).evidence(target({}, DType::i32), prediction(3, Linear)));
  // Sums of what layers with an activation give are probabilities as often as not.
  EXPECT_NO_THROW(CrossEntropy(target({3}), prediction(3) * 0.5 + prediction(3) * 0.5));
  EXPECT_EQ(
      text_of<GraphError>([] { CrossEntropy({.from_logits = true})(target({3}), prediction(3)); }),
      "GraphError: CrossEntropy: from_logits is given for predictions that went through "
      "softmax already\n"
      "  predictions   [batch, 3] f32   from Dense \"out\" (train.cpp:14)\n"
      "  hint          leave out from_logits where that is the loss's own activation: it is "
      "computed from what comes before it, anyway; else end in a layer without");
  for (const Activation& head : {Sigmoid, Softmax}) {
    EXPECT_THROW(BinaryCrossEntropy({.from_logits = true})(target({3}), prediction(3, head)),
                 GraphError);
    EXPECT_THROW(CrossEntropy({.from_logits = true})(target({3}), prediction(3, head)), GraphError);
  }
  // A matrix of transitions between classes.
  EXPECT_NO_THROW(CrossEntropy(target({3}), Dense(3, {.bias = false})(prediction(3))));
}

TEST(LossErrors, Options) {
  EXPECT_EQ(text_of<GraphError>([] { CrossEntropy({.label_smoothing = 1}, site); }),
            "GraphError: CrossEntropy (train.cpp:14): a label_smoothing of 1; expected at least 0 "
            "and below 1\n"
            "  hint   it is the share of a target that is spread over all classes; 0.1 is usual");
  EXPECT_EQ(text_of<GraphError>([] { Loss("mine", nullptr, site); }),
            "GraphError: Loss (train.cpp:14): \"mine\" has an empty function; expected one that "
            "returns a Symbol\n"
            "  hint   pass a function of (Symbol y_true, Symbol y_pred)");
  std::string names;
  for (const std::string& name : Metric::names())
    names += (names.empty() ? "\"" : ", \"") + name + "\"";
  EXPECT_EQ(text_of<GraphError>([] { Metric("acuracy", site); }),
            "GraphError: Metric (train.cpp:14): there is no metric \"acuracy\"; expected one of "
            "those below\n"
            "  metrics   " +
                names +
                "\n"
                "  hint      did you mean \"accuracy\"?");
  EXPECT_EQ(text_of<GraphError>([] { Metric("top_5", site); }),
            "GraphError: Metric (train.cpp:14): there is no metric \"top_5\"; expected one of "
            "those below\n"
            "  metrics   " +
                names +
                "\n"
                "  hint      Metric(\"name\", function) makes one of your own");
}

}  // namespace
}  // namespace goneuron
