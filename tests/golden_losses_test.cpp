// The losses against PyTorch: the mean over the batch, each sample's own, and the gradient by what
// stands before the prediction (logits where there is a Softmax or Sigmoid), in f32 and f64.
#include "golden_evaluate.h"
#include "golden_layer.h"
#include "goneuron/loss.h"
#include "graph/passes/differentiate.h"

namespace goneuron::golden {
namespace {

Symbol prediction(const std::string& head, const Symbol& z) {
  if (head == "softmax") return Softmax(z);
  if (head == "log_softmax") return LogSoftmax(z);
  if (head == "sigmoid") return Sigmoid(z);
  return z;
}

Symbol loss_of(const Json& one, const Symbol& y_true, const Symbol& y_pred, bool logits = false) {
  const std::string name = one.at("loss");
  if (name == "MSE") return MSE(y_true, y_pred);
  if (name == "BinaryCrossEntropy")
    return BinaryCrossEntropy({.from_logits = logits})(y_true, y_pred);
  const double smoothing = one.at("label_smoothing");
  return CrossEntropy({.label_smoothing = smoothing, .from_logits = logits})(y_true, y_pred);
}

class GoldenLoss : public testing::TestWithParam<std::tuple<std::string, DType>> {};

TEST_P(GoldenLoss, ValueAndGradient) {
  const auto& [name, precision] = GetParam();
  const Json& one = case_named("losses", name);
  const bool indices = one.at("labels") == "indices";
  const Shape labels = shape_of(one.at("y_true")), logits = shape_of(one.at("z"));
  const Symbol y_true = input_symbol({labels, indices ? DType::i32 : DType::f32}, "y");
  const Symbol z = input_symbol({logits, DType::f32}, "z");
  const Symbol losses = loss_of(one, y_true, prediction(one.at("head"), z));
  ASSERT_EQ(losses.shape().rank(), 1) << "a loss gives one number a sample";
  const Symbol value = make("mean", {losses}, {{"axes", std::vector<i64>{0}}, {"keep", i64{0}}});
  const Feeds feeds{{y_true, tensor_of(one.at("y_true"), indices ? DType::i32 : precision)},
                    {z, tensor_of(one.at("z"), precision)}};
  const auto got = compute({losses, value, differentiate(value, {z})[0]}, feeds, precision);
  expect_close(got[0], one.at("losses"), tolerance(precision), "losses");
  const double want = one.at("loss_value");
  EXPECT_NEAR(element(got[1], 0), want, tolerance(precision) * want);
  expect_close(got[2], one.at("gradient"), tolerance(precision), "gradient");
}

TEST_P(GoldenLoss, FromLogits) {
  const auto& [name, precision] = GetParam();
  const Json& one = case_named("losses", name);
  const std::string head = one.at("head");
  if (head != "softmax" && head != "sigmoid") return;  // there are no logits
  const bool indices = one.at("labels") == "indices";
  const Symbol y_true =
      input_symbol({shape_of(one.at("y_true")), indices ? DType::i32 : DType::f32}, "y");
  const Symbol z = input_symbol({shape_of(one.at("z")), DType::f32}, "z");
  const Feeds feeds{{y_true, tensor_of(one.at("y_true"), indices ? DType::i32 : precision)},
                    {z, tensor_of(one.at("z"), precision)}};
  const auto got = compute({loss_of(one, y_true, z, true)}, feeds, precision);
  expect_close(got[0], one.at("losses"), tolerance(precision), "losses");
}

INSTANTIATE_TEST_SUITE_P(PyTorch, GoldenLoss,
                         testing::Combine(testing::ValuesIn(case_names("losses")),
                                          testing::Values(DType::f32, DType::f64)),
                         CaseName{});

}  // namespace
}  // namespace goneuron::golden
