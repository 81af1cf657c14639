// Mixtures of experts with the losses that they add, against a written-out PyTorch mixture: output,
// losses, usage, and the gradients of sum(output * upstream) + sum(weight * loss).
#include "golden_evaluate.h"
#include "golden_layer.h"
#include "train/losses/targets.h"

namespace goneuron::golden {
namespace {

class GoldenMoE : public testing::TestWithParam<std::tuple<std::string, DType>> {};

Symbol total_of(const Symbol& y) {
  std::vector<i64> axes(static_cast<size_t>(y.shape().rank()));
  for (size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<i64>(i);
  return make("sum", {y}, {{"axes", axes}, {"keep", i64{0}}});
}

TEST_P(GoldenMoE, OutputLossesAndGradients) {
  const Json& one = case_named("moe", std::get<0>(GetParam()));
  const DType precision = std::get<1>(GetParam());
  const LayerCase built(one, precision);
  ASSERT_FALSE(HasFatalFailure());
  const LayerCall& call = *built.output.expr()->call;
  ASSERT_EQ(call.losses.size(), 2U);
  ASSERT_EQ(call.metrics.size(), 2U);

  Symbol total = total_of(make("mul", {built.output, built.upstream}));
  std::vector<Symbol> wanted = {built.output};
  for (const AddedTerm& term : call.losses) {
    wanted.push_back(batch_mean(term.value));
    total = total + batch_mean(term.value) * term.weight;
  }
  for (const AddedTerm& term : call.metrics) wanted.push_back(batch_mean(term.value));
  std::vector<Symbol> wrt = built.inputs;
  for (const auto& variable : variables_of(built.layer, Role::parameter))
    wrt.push_back(variable_symbol(variable));
  for (const Symbol& gradient : differentiate(total, wrt)) wanted.push_back(gradient);

  const std::vector<Tensor> got = compute(wanted, built.feeds, precision);
  const double within = tolerance(precision);
  expect_close(got[0], one.at("output"), within, "output");
  const char* names[] = {"moe/balance", "moe/z"};
  for (size_t i = 0; i < 2; ++i) {
    const double want = one.at("losses").at("values")[i];
    EXPECT_EQ(call.losses[i].name, names[i]);
    EXPECT_NEAR(element(got[1 + i], 0), want, within * want) << names[i];
  }
  EXPECT_NEAR(element(got[3], 0), one.at("most").at("values")[0].get<double>(), within);
  EXPECT_NEAR(element(got[4], 0), one.at("least").at("values")[0].get<double>(), within);
  expect_close(got[5], one.at("input_gradients")[0], within, "gradient of the input");
  const Json& by_weight = one.at("weight_gradients");
  ASSERT_EQ(got.size(), 6 + by_weight.size());
  for (size_t i = 0; i < by_weight.size(); ++i)
    expect_close(got[6 + i], by_weight[i], within, "gradient of weight " + std::to_string(i));
}

INSTANTIATE_TEST_SUITE_P(PyTorch, GoldenMoE,
                         testing::Combine(testing::ValuesIn(case_names("moe")),
                                          testing::Values(DType::f32, DType::f64)),
                         CaseName{});

}  // namespace
}  // namespace goneuron::golden
