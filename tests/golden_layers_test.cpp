// Every layer but Dropout against PyTorch: output, and the gradients of sum(output * upstream) by
// inputs and weights, through the public factories, differentiate() and the reference kernels, in
// f32 and f64.
#include "golden_evaluate.h"
#include "golden_layer.h"

namespace goneuron::golden {
namespace {

void check(const LayerCase& built, const Symbol& output, const Json& want, DType precision) {
  std::vector<Symbol> symbols = built.gradients(output);
  for (const Symbol& gradient : symbols)
    ASSERT_TRUE(gradient) << "an input or weight has no gradient";
  symbols.insert(symbols.begin(), output);
  const std::vector<Tensor> got = compute(symbols, built.feeds, precision);
  expect_close(got[0], want.at("output"), tolerance(precision), "output");
  const Json &by_input = want.at("input_gradients"), &by_weight = want.at("weight_gradients");
  ASSERT_EQ(got.size(), 1 + by_input.size() + by_weight.size());
  for (size_t i = 0; i < by_input.size(); ++i)
    expect_close(got[1 + i], by_input[i], tolerance(precision),
                 "gradient of input " + std::to_string(i));
  for (size_t i = 0; i < by_weight.size(); ++i)
    expect_close(got[1 + by_input.size() + i], by_weight[i], tolerance(precision),
                 "gradient of weight " + std::to_string(i));
}

class GoldenLayer : public testing::TestWithParam<std::tuple<std::string, DType>> {
 protected:
  const Json& one = case_named("layers", std::get<0>(GetParam()));
  DType precision = std::get<1>(GetParam());
};

TEST_P(GoldenLayer, OutputAndGradients) {
  const LayerCase built(one, precision);
  ASSERT_FALSE(HasFatalFailure());
  check(built, built.output, one, precision);
}

INSTANTIATE_TEST_SUITE_P(PyTorch, GoldenLayer,
                         testing::Combine(testing::ValuesIn(case_names("layers", "Dropout")),
                                          testing::Values(DType::f32, DType::f64)),
                         CaseName{});

class GoldenBatchNorm : public GoldenLayer {};

/// Running mean and (unbiased) variance after one and after two training batches.
TEST_P(GoldenBatchNorm, RunningStatistics) {
  LayerCase built(one, precision);
  ASSERT_FALSE(HasFatalFailure());
  const auto states = variables_of(built.layer, Role::state);
  const auto& weak = built.output.expr()->call->updates;
  const std::vector<Symbol> updates(weak.begin(), weak.end());
  ASSERT_EQ(updates.size(), 2U);
  for (const char* after : {"state_after", "state_after_second"}) {
    apply(updates, built.feeds, precision);
    for (size_t i = 0; i < states.size(); ++i)
      expect_close(states[i]->value, one.at(after)[i], tolerance(precision),
                   states[i]->name + " " + after);
    built.feeds[0].second = tensor_of(one.at("second_input"), precision);
  }
}

/// Inference takes the running statistics, and lets gradients through to the input, scale and
/// shift.
TEST_P(GoldenBatchNorm, Inference) {
  LayerCase built(one, precision);
  ASSERT_FALSE(HasFatalFailure());
  const Expr& train = *built.output.expr();
  ASSERT_STREQ(train.op->name, "batch_norm");
  const Symbol output =
      make("batch_norm_infer", train.inputs, {{"epsilon", train.attrs.real("epsilon")}});
  built.feeds[1].second = tensor_of(one.at("inference").at("upstream"), precision);
  check(built, output, one.at("inference"), precision);
}

INSTANTIATE_TEST_SUITE_P(PyTorch, GoldenBatchNorm,
                         testing::Combine(testing::Values("batch_norm", "batch_norm_images",
                                                          "batch_norm_no_scale",
                                                          "batch_norm_no_shift"),
                                          testing::Values(DType::f32, DType::f64)),
                         CaseName{});

}  // namespace
}  // namespace goneuron::golden
