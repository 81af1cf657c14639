// Functions and operators on symbols: which ops they make, their values, their refusals; and
// initialisers.
#include <gtest/gtest.h>

#include <cmath>

#include "goneuron/layers.h"
#include "graph/initialize.h"
#include "graph_value.h"

namespace goneuron {
namespace {

const Site site{"train.cpp", 14};

/// f(x) for the sample {1, 2, 4}, and the op that it is.
template <class F>
void check(F&& f, const char* op, const std::vector<float>& wanted) {
  const Symbol x = Input({3}), y = f(x);
  EXPECT_STREQ(y.expr()->op->name, op);
  expect_near(GraphValue({{x, floats({1, 2, 4}, {1, 3})}})(y), wanted, 1e-6);
}

TEST(Functions, NumbersBecomeScaleAndShift) {
  check([](const Symbol& x) { return x + 1; }, "scale_shift", {2, 3, 5});
  check([](const Symbol& x) { return 1 + x; }, "scale_shift", {2, 3, 5});
  check([](const Symbol& x) { return x - 1; }, "scale_shift", {0, 1, 3});
  check([](const Symbol& x) { return 1 - x; }, "scale_shift", {0, -1, -3});
  check([](const Symbol& x) { return x * 0.5; }, "scale_shift", {0.5F, 1, 2});
  check([](const Symbol& x) { return 3 * x; }, "scale_shift", {3, 6, 12});
  check([](const Symbol& x) { return x / 4; }, "scale_shift", {0.25F, 0.5F, 1});
  check([](const Symbol& x) { return 4 / x; }, "div", {4, 2, 1});
  check([](const Symbol& x) { return x / 0; }, "div", {INFINITY, INFINITY, INFINITY});
}

TEST(Functions, SymbolsAndElementwise) {
  check([](const Symbol& x) { return x + x; }, "add", {2, 4, 8});
  check([](const Symbol& x) { return x - x; }, "sub", {0, 0, 0});
  check([](const Symbol& x) { return x * x; }, "mul", {1, 4, 16});
  check([](const Symbol& x) { return x / x; }, "div", {1, 1, 1});
  check([](const Symbol& x) { return -x; }, "neg", {-1, -2, -4});
  check([](const Symbol& x) { return exp(x); }, "exp", {2.7182818F, 7.3890561F, 54.5981500F});
  check([](const Symbol& x) { return log(x); }, "log", {0, 0.6931472F, 1.3862944F});
  check([](const Symbol& x) { return sqrt(x); }, "sqrt", {1, 1.4142136F, 2});
  check([](const Symbol& x) { return square(x); }, "square", {1, 4, 16});
  check([](const Symbol& x) { return abs(1 - x); }, "abs", {0, 1, 3});
  check([](const Symbol& x) { return maximum(x, 3); }, "maximum", {3, 3, 4});
  check([](const Symbol& x) { return minimum(x, 3); }, "minimum", {1, 2, 3});
  check([](const Symbol& x) { return slice(x, -1, 1, 3); }, "slice", {2, 4});
  check(
      [](const Symbol& x) {
        return matmul(x, constant(floats({1, 10, 100}, {3, 1})));
      },
      "matmul", {421});
}

TEST(Functions, SumAndMean) {
  check([](const Symbol& x) { return sum(x); }, "sum", {7});
  check([](const Symbol& x) { return mean(x); }, "mean", {7.0F / 3});
  const Symbol x = Input({3, 4});
  EXPECT_EQ(sum(x).shape().str(), "[batch]");
  EXPECT_EQ(mean(x, {-1}).shape().str(), "[batch, 3]");
  EXPECT_EQ(mean(x, {1}, true).shape().str(), "[batch, 1, 4]");
  EXPECT_EQ(sum(x, {2, 1}).expr()->attrs, sum(x, {-2, -1}).expr()->attrs);
  const Symbol each = sum(x);
  EXPECT_TRUE(mean(each) == each) << "there is nothing but the batch";
}

TEST(Functions, RightOperandsCarryTheirLine) {
  const Symbol x = Input({3});
  const Symbol y = x + x;
  EXPECT_EQ(y.expr()->site.line, __LINE__ - 1);
  const Symbol z = 2 * x;
  EXPECT_EQ(z.expr()->site.line, __LINE__ - 1);
}

TEST(FunctionErrors, Axes) {
  const Symbol x = Input({3, 4});
  EXPECT_EQ(text_of<ShapeError>([&] { sum(x, {3}, false, site); }),
            "ShapeError: sum (train.cpp:14): there is no axis 3 in [batch, 3, 4]\n"
            "  hint   axes count the batch as 0; -1 is the last one");
  EXPECT_EQ(text_of<ShapeError>([&] {
              mean(x, {1, -2}, false, site);
            }),
            "ShapeError: mean (train.cpp:14): axis 1 is given twice\n"
            "  hint   name each axis once; -1 is the last one");
  EXPECT_EQ(text_of<ShapeError>([&] { slice(x, 1, 2, 5, site); }),
            "ShapeError: slice (train.cpp:14): elements [2, 5) of axis 1 of [batch, 3, 4]\n"
            "  hint   0 <= begin < end <= 3");
  EXPECT_EQ(text_of<ShapeError>([&] { slice(x, 0, 0, 1, site); }),
            "ShapeError: slice (train.cpp:14): the length of axis 0 of [batch, 3, 4] is not known\n"
            "  hint   every row is one sample: slice another axis");
  EXPECT_EQ(text_of<GraphError>([&] { constant(Tensor(), site); }),
            "GraphError: constant (train.cpp:14): the tensor has no elements\n"
            "  hint   pass a tensor with values");
}

// ---- initialisers ----

std::vector<float> made(const Initializer& init, i64 fan_in, i64 fan_out, std::uint64_t seed = 1,
                        std::uint32_t stream = 0, i64 count = 10001) {
  Variable variable;
  variable.name = "weight";
  variable.type = {{count}, DType::f32};
  variable.init = init;
  variable.fan_in = fan_in;
  variable.fan_out = fan_out;
  variable.value = Tensor({count}, DType::f32);
  initialize(variable, seed, stream);
  return {variable.value.data<float>(), variable.value.data<float>() + count};
}

struct Moments {
  double mean = 0, stddev = 0, low = INFINITY, high = -INFINITY;
};
Moments moments(const std::vector<float>& values) {
  Moments m;
  const auto count = static_cast<double>(values.size());
  for (const double value : values) {
    m.mean += value / count;
    m.low = std::min(m.low, value);
    m.high = std::max(m.high, value);
  }
  for (const double value : values) m.stddev += (value - m.mean) * (value - m.mean) / count;
  m.stddev = std::sqrt(m.stddev);
  return m;
}

void expect_uniform(const Initializer& init, double low, double high) {
  const Moments m = moments(made(init, 100, 50));
  const double width = high - low;
  EXPECT_GE(m.low, low);
  EXPECT_LE(m.high, high);
  EXPECT_NEAR(m.low, low, width * 0.002);
  EXPECT_NEAR(m.high, high, width * 0.002);
  EXPECT_NEAR(m.mean, (low + high) / 2, width * 0.012);
  EXPECT_NEAR(m.stddev, width / std::sqrt(12.0), width * 0.01);
}

void expect_normal(const Initializer& init, double mean, double stddev) {
  const Moments m = moments(made(init, 100, 50));
  EXPECT_NEAR(m.mean, mean, stddev * 0.04);  // four standard errors of 10,001 samples
  EXPECT_NEAR(m.stddev, stddev, stddev * 0.03);
  EXPECT_GT(m.high - m.low, 6 * stddev);
}

TEST(Initialize, Distributions) {
  EXPECT_EQ(made(Zeros, 1, 1, 1, 0, 3), (std::vector<float>{0, 0, 0}));
  EXPECT_EQ(made(Ones, 1, 1, 1, 0, 3), (std::vector<float>{1, 1, 1}));
  EXPECT_EQ(made(Constant(0.5), 1, 1, 1, 0, 2), (std::vector<float>{0.5F, 0.5F}));
  expect_uniform(TorchDefault, -0.1, 0.1);  // 1 / sqrt(100)
  expect_uniform(RandomUniform(2, 3), 2, 3);
  expect_uniform(GlorotUniform, -0.2, 0.2);                      // sqrt(6 / 150)
  expect_uniform(HeUniform, -std::sqrt(0.06), std::sqrt(0.06));  // sqrt(6 / 100)
  expect_normal(RandomNormal(1, 2), 1, 2);
  expect_normal(GlorotNormal, 0, std::sqrt(2.0 / 150));
  expect_normal(HeNormal, 0, std::sqrt(2.0 / 100));
}

TEST(Initialize, DependsOnSeedStreamAndElementAlone) {
  for (const Initializer& init : {TorchDefault, HeNormal}) {
    const auto long_one = made(init, 9, 9, 7, 3, 1001), short_one = made(init, 9, 9, 7, 3, 7);
    EXPECT_TRUE(std::equal(short_one.begin(), short_one.end(), long_one.begin()));
    EXPECT_NE(made(init, 9, 9, 8, 3, 7), short_one) << "another seed";
    EXPECT_NE(made(init, 9, 9, 7, 4, 7), short_one) << "another stream";
  }
}

TEST(InitializeErrors, NeedsMemory) {
  Variable variable;
  variable.name = "weight";
  variable.type = {{2, 3}, DType::f32};
  EXPECT_EQ(text_of<GraphError>([&] { initialize(variable, 0, 0); }),
            "GraphError: the weight \"weight\": it has no f32 memory of [2, 3] yet\n"
            "  hint   build() the model first");
}

}  // namespace
}  // namespace goneuron
