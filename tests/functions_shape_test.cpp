// Functions on symbols that move, choose and compare elements: values by hand, gradients that must
// stop, lengths known by the data alone, what they refuse; and a model that uses them.
#include <gtest/gtest.h>

#include "goneuron/functions.h"
#include "goneuron/layers.h"
#include "graph/passes/differentiate.h"
#include "graph_value.h"
#include "model_testing.h"

namespace goneuron {
namespace {

const Site site{"train.cpp", 14};

/// 0, 1, 2, ... as one sample of `shape`.
Tensor counted_up(const Shape& shape, i64 samples = 1) {
  Tensor x(shape.with_batch(samples));
  for (i64 i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i);
  return x;
}

/// f(0, 1, 2, ... in `shape`), whose sample has the shape `to`.
template <class F>
void check(const Shape& shape, F&& f, const Shape& to, const std::vector<float>& wanted) {
  const Symbol x = Input(shape), y = f(x);
  EXPECT_EQ(y.shape().str(), to.with_batch(Any).str());
  const Tensor value = GraphValue({{x, counted_up(shape)}})(y);
  EXPECT_EQ(value.shape().str(), to.with_batch(1).str());
  expect_near(value, wanted, 1e-6);
}

TEST(Functions, MoveElements) {
  check({2, 3}, [](auto& x) { return transpose(x, {0, 2, 1}); }, {3, 2}, {0, 3, 1, 4, 2, 5});
  check({2, 3}, [](auto& x) { return transpose(x, {0, -1, -2}); }, {3, 2}, {0, 3, 1, 4, 2, 5});
  check({2, 3}, [](auto& x) { return reshape(x, {3, Any}); }, {3, 2}, {0, 1, 2, 3, 4, 5});
  check({3}, [](auto& x) { return expand_dims(x, -1); }, {3, 1}, {0, 1, 2});
  check({3}, [](auto& x) { return expand_dims(x, 1); }, {1, 3}, {0, 1, 2});
  check({3, 1}, [](auto& x) { return squeeze(x, -1); }, {3}, {0, 1, 2});
  check({2, 1}, [](auto& x) { return concat({x, x + 5}); }, {2, 2}, {0, 5, 1, 6});
  check({2, 1}, [](auto& x) { return concat({x, x + 5}, 1); }, {4, 1}, {0, 1, 5, 6});
  check({2}, [](auto& x) { return stack({x, x + 5}); }, {2, 2}, {0, 1, 5, 6});
  check({2}, [](auto& x) { return stack({x, x + 5}, -1); }, {2, 2}, {0, 5, 1, 6});
  check({3, 3}, [](auto& x) { return slice(x, {{1, 3}, {0, 2}}); }, {2, 2}, {3, 4, 6, 7});
  check({3, 3}, [](auto& x) { return slice(x, {{}, {2}}); }, {3, 1}, {2, 5, 8});
  check({2, 2}, [](auto& x) { return repeat(x, 2, 1); }, {4, 2}, {0, 1, 0, 1, 2, 3, 2, 3});
  check({2, 2}, [](auto& x) { return repeat(x, 2, -1); }, {2, 4}, {0, 0, 1, 1, 2, 2, 3, 3});
  check({1, 2}, [](auto& x) { return repeat(x, 3, 1); }, {3, 2}, {0, 1, 0, 1, 0, 1});
  check({2, 1}, [](auto& x) { return broadcast_to(x, {2, 3}); }, {2, 3}, {0, 0, 0, 1, 1, 1});
  check({2, 2},
        [](auto& x) {
          return broadcast_like(constant(floats({7, 8}, {2})), x);
        },
        {2, 2}, {7, 8, 7, 8});
}

TEST(Functions, ChooseElements) {
  check({2, 3}, [](auto& x) { return max(x); }, {}, {5});
  check({2, 3}, [](auto& x) { return max(x, {1}); }, {3}, {3, 4, 5});
  check({2, 3}, [](auto& x) { return min(x, {-1}, true); }, {2, 1}, {0, 3});
  check({4}, [](auto& x) { return where(greater(x, 1.5), x, -1); }, {4}, {-1, -1, 2, 3});
  check({3}, [](auto& x) { return greater_equal(x, 1); }, {3}, {0, 1, 1});
  check({3}, [](auto& x) { return less(x, 1); }, {3}, {1, 0, 0});
  check({3}, [](auto& x) { return less_equal(x, 1); }, {3}, {1, 1, 0});
  check({3}, [](auto& x) { return equal(x, 1); }, {3}, {0, 1, 0});
  check({3}, [](auto& x) { return not_equal(x, 1); }, {3}, {1, 0, 1});
  check({3}, [](auto& x) { return clip(x, 0.5, 1.5); }, {3}, {0.5F, 1, 1.5F});
  check({3}, [](auto& x) { return pow(x + 1, 3); }, {3}, {1, 8, 27});
  check({3}, [](auto& x) { return pow(x + 1, -1); }, {3}, {1, 0.5F, 1.0F / 3});
  check({3}, [](auto& x) { return relu(x - 1); }, {3}, {0, 0, 1});
  check({2}, [](auto& x) { return tanh(x); }, {2}, {0, 0.7615942F});
  check({2}, [](auto& x) { return sigmoid(x); }, {2}, {0.5F, 0.7310586F});
  check({2}, [](auto& x) { return softmax(x); }, {2}, {0.2689414F, 0.7310586F});
  check({2, 2}, [](auto& x) { return softmax(x, 1); }, {2, 2},
        {0.1192029F, 0.1192029F, 0.8807971F, 0.8807971F});
  check({2}, [](auto& x) { return log_softmax(x); }, {2}, {-1.3132617F, -0.3132617F});
}

TEST(Functions, Gather) {
  const auto indices = [](std::vector<std::int32_t> values, const Shape& shape) {
    return Tensor(values, shape);
  };
  check({3, 2},
        [&](auto& x) {
          return gather(x, constant(indices({2, 0, 2}, {3})));
        },
        {3, 2}, {4, 5, 0, 1, 4, 5});
  check({3, 2}, [&](auto& x) { return gather(x, constant(indices({1}, {1})), -1); }, {3, 1},
        {1, 3, 5});
  const Symbol x = Input({Any, 2}), own = Input({2}, DType::i32), one = Input({}, DType::i32);
  GraphValue value({{x, counted_up({3, 2}, 2)},
                    {own, indices({2, 0, 1, 1}, {2, 2})},
                    {one, indices({0, 2}, {2})}});
  expect_near(value(gather(x, own)), {4, 5, 0, 1, 8, 9, 8, 9}, 0);
  const Tensor each = value(gather(x, one));
  EXPECT_EQ(each.shape().str(), "[2, 2]");
  expect_near(each, {0, 1, 10, 11}, 0);
  const Tensor table = floats({5, 6, 7}, {3, 1});
  expect_near(value(gather(constant(table), own, 0)), {7, 5, 6, 6}, 0);
}

TEST(Functions, CastsMakeMasksOfTokens) {
  const Symbol x = Input({3}, DType::i32);
  GraphValue value({{x, Tensor(std::vector<std::int32_t>{4, 0, -1}, {1, 3})}});
  expect_near(value(not_equal(cast(x, DType::f32), 0)), {1, 0, 1}, 0);
  EXPECT_TRUE(cast(x, DType::i32) == x);
  EXPECT_EQ(cast(cast(x, DType::f32), DType::i32).dtype(), DType::i32);
}

TEST(Functions, BatchedProducts) {
  const Symbol a = Input({2, 3}), b = Input({3, 1});
  GraphValue value({{a, counted_up({2, 3}, 2)}, {b, counted_up({3, 1}, 2)}});
  // [[0 1 2] [3 4 5]] (0 1 2) and [[6 7 8] [9 10 11]] (3 4 5)
  expect_near(value(matmul(a, b)), {5, 14, 86, 122}, 0);
}

/// The gradient of sum(y) by x.
Tensor slope(const Symbol& x, const Symbol& y, const Tensor& at) {
  std::vector<int> axes;
  for (int i = 0; i < y.shape().rank(); ++i) axes.push_back(i);
  const auto gradient = differentiate(sum(y, axes), {x})[0];
  if (!gradient) return Tensor();
  return GraphValue({{x, at}})(gradient);
}

TEST(Functions, ComparisonsAndStopsAreConstantsToTheGradient) {
  const Symbol x = Input({3});
  const Tensor at = counted_up({3});
  expect_near(slope(x, x * greater(x, 0.5), at), {0, 1, 1}, 0);
  expect_near(slope(x, x * stop_gradient(x), at), {0, 1, 2}, 0);
  expect_near(slope(x, where(greater(x, 0.5), x * x, 3 * x), at), {3, 2, 4}, 0);
  EXPECT_TRUE(slope(x, stop_gradient(x), at).empty());
  // sqrt has an infinite slope at 0, which the choice must keep out
  expect_near(slope(x, where(greater(x, 0.5), sqrt(maximum(x, 0.5)), x), at), {1, 0.5F, 0.3535534F},
              1e-6);
}

TEST(Functions, EqualExtremesShareTheGradient) {
  const Symbol x = Input({4});
  expect_near(slope(x, max(x), floats({1, 3, 3, 2}, {1, 4})), {0, 0.5F, 0.5F, 0}, 0);
  expect_near(slope(x, min(x), floats({1, 3, 1, 1}, {1, 4})), {1.0F / 3, 0, 1.0F / 3, 1.0F / 3},
              1e-7);
}

TEST(Functions, NaNReachesTheExtremes) {
  const Symbol x = Input({3});
  for (int i = 0; i < 3; ++i) {
    Tensor at = counted_up({3});
    at.data()[i] = NAN;
    for (const Symbol& y : {max(x), min(x)})
      EXPECT_TRUE(std::isnan(GraphValue({{x, at}})(y).item())) << i;
  }
}

/// Scaled dot-product attention by functions alone, against loops in double.
TEST(FunctionModels, AttentionByHand) {
  const Symbol x = Input({5, 6});
  const auto heads = [](const Symbol& s) { return transpose(reshape(s, {5, 2, 3}), {0, 2, 1, 3}); };
  const Symbol scores = matmul(heads(x), transpose(heads(x), {0, 1, 3, 2})) / std::sqrt(3.0);
  const Symbol mixed = matmul(softmax(scores), heads(x));
  Model model(x, reshape(transpose(mixed, {0, 2, 1, 3}), {5, 6}));
  const Tensor data = values({7, 5, 6}), y = model.predict(data);
  for (i64 b = 0; b < 7; ++b)
    for (i64 h = 0; h < 2; ++h)
      for (i64 t = 0; t < 5; ++t) {
        double weights[5], total = 0;
        for (i64 s = 0; s < 5; ++s) {
          double dot = 0;
          for (i64 j = 3 * h; j < 3 * h + 3; ++j) dot += data.at({b, t, j}) * data.at({b, s, j});
          total += weights[s] = std::exp(dot / std::sqrt(3.0));
        }
        for (i64 j = 3 * h; j < 3 * h + 3; ++j) {
          double wanted = 0;
          for (i64 s = 0; s < 5; ++s) wanted += weights[s] / total * data.at({b, s, j});
          EXPECT_NEAR(y.at({b, t, j}), wanted, few_roundings);
        }
      }
}

TEST(FunctionModels, IndicesOutOfRangeAreNamed) {
  const Symbol x = Input({4}, DType::i32);
  const Layer pick("pick", [](Symbol s) { return gather(constant(floats({1, 2, 3}, {3})), s, 0); });
  Model model(x, pick(x));
  Tensor data(Shape{9, 4}, DType::i32);
  EXPECT_EQ(model.predict(data).at({8, 3}), 1);
  data.set({7, 2}, 3);
  try {
    model.predict(data, 2);
    ADD_FAILURE() << "no error";
  } catch (const DataError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("the index 3 in row 7, position 2 of the data; expected 0 to 2"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("layer   pick (functions_shape_test.cpp:"), std::string::npos) << text;
  }
}

TEST(FunctionErrors, SayWhatIsExpected) {
  const Symbol x = Input({3, 4});
  const auto text = [](const auto& f) { return text_of<ShapeError>(f); };
  EXPECT_EQ(text([&] {
              transpose(x, {1, 0, 2}, site);
            }),
            "ShapeError: transpose (train.cpp:14): axis 0 of [batch, 3, 4] is the batch; expected "
            "it first\n"
            "  hint   every row is one sample: transpose(x, {0, 2, 1})");
  EXPECT_EQ(text([&] {
              reshape(x, {5, Any}, site);
            }),
            "ShapeError: reshape (train.cpp:14): a sample of [3, 4] does not fit into [5, any]; "
            "expected a shape of 12 elements\n"
            "  hint   the batch is not part of the shape; one dimension may be Any");
  EXPECT_EQ(text([&] { softmax(x, 0, site); }),
            "ShapeError: softmax (train.cpp:14): axis 0 of [batch, 3, 4] is the batch; expected "
            "another axis\n"
            "  hint   every row is one sample; -1 is the last axis");
  EXPECT_EQ(text([&] { expand_dims(x, 0, site); }),
            "ShapeError: expand_dims (train.cpp:14): axis 0 for [batch, 3, 4]; expected 1 to 3\n"
            "  hint   the batch stays first; -1 puts an axis at the end");
  EXPECT_EQ(text([&] { repeat(x, 0, 1, site); }),
            "ShapeError: repeat (train.cpp:14): 0 times; expected 1 or more\n"
            "  hint   1 leaves it as it is");
  EXPECT_EQ(text([&] {
              slice(x, {{}, {}, {}}, site);
            }),
            "ShapeError: slice (train.cpp:14): 3 ranges for [batch, 3, 4]; expected at most 2\n"
            "  hint   one for each axis after the batch; {} is all of an axis");
}

}  // namespace
}  // namespace goneuron
