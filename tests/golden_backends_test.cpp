// Every layer against PyTorch on every backend, as a model runs it: symbols -> trace -> plan ->
// executor, in f32; fused, tiled, on one thread and on three.
#include "golden_layer.h"
#include "graph/passes/trace.h"
#include "plan/executor.h"
#include "winograd_steps.h"

namespace goneuron::golden {
namespace {

struct Run {
  std::string backend;
  bool training;
  int workers;
};

/// The values of `outputs` after one step that also runs `effects`; `steps`: how many of that plan
/// are convolutions by Winograd.
std::vector<Tensor> planned(const std::vector<Symbol>& outputs, const std::vector<Symbol>& effects,
                            const Feeds& feeds, const Run& run, int* steps = nullptr) {
  TraceSpec spec{.outputs = outputs, .effects = effects, .training = run.training};
  for (const auto& [symbol, value] : feeds) {
    spec.inputs.push_back(symbol);
    spec.input_types.push_back({value.shape(), value.dtype()});
  }
  const auto plan =
      std::make_shared<const Plan>(make_plan(trace(spec), backend_named(run.backend)));
  if (steps) *steps = winograd_steps(*plan);
  const Arena gradients(plan->gradient_bytes, "the gradients");
  Executor executor(plan, gradients);
  for (size_t i = 0; i < feeds.size(); ++i)
    executor.set_input(static_cast<int>(i), feeds[i].second);
  WorkerPool pool(run.workers);
  executor.run(pool);
  std::vector<Tensor> values;
  for (size_t i = 0; i < outputs.size(); ++i) {
    values.emplace_back(plan->graph.value(plan->graph.outputs[i]).type.shape);
    std::memcpy(values.back().raw(), executor.output(static_cast<int>(i)),
                static_cast<size_t>(values.back().bytes()));
  }
  return values;
}

class GoldenBackend : public testing::TestWithParam<std::tuple<std::string, std::string>> {};

class GoldenBackendTraining : public GoldenBackend {};

TEST_P(GoldenBackendTraining, OutputGradientsAndState) {
  const auto& [name, backend] = GetParam();
  const Json& one = case_named("layers", name);
  for (const int workers : {1, 3}) {
    LayerCase built(one, DType::f32);
    ASSERT_FALSE(HasFatalFailure());
    std::vector<Symbol> symbols = built.gradients(built.output);
    symbols.insert(symbols.begin(), built.output);
    const auto& call = built.output.expr()->call;
    auto updates = std::vector<Symbol>{};
    if (call) updates.assign(call->updates.begin(), call->updates.end());
    int by_winograd = 0;
    const auto got = planned(symbols, updates, built.feeds, {backend, true, workers}, &by_winograd);
    // The convolution and both of its gradients, in the cases that are there for it.
    EXPECT_EQ(by_winograd, backend == "cpu" && name.rfind("winograd", 0) == 0 ? 3 : 0);
    expect_close(got[0], one.at("output"), 1e-5, "output");
    std::vector<Json> want = one.at("input_gradients");
    for (const Json& gradient : one.at("weight_gradients")) want.push_back(gradient);
    ASSERT_EQ(got.size(), 1 + want.size());
    for (size_t i = 0; i < want.size(); ++i)
      expect_close(got[1 + i], want[i], 1e-5, "gradient " + std::to_string(i));
    const auto states = variables_of(built.layer, Role::state);
    for (size_t i = 0; i < states.size(); ++i)
      expect_close(states[i]->value, one.at("state_after")[i], 1e-5, states[i]->name);
  }
}

TEST_P(GoldenBackend, Inference) {
  const auto& [name, backend] = GetParam();
  const Json& one = case_named("layers", name);
  LayerCase built(one, DType::f32);
  ASSERT_FALSE(HasFatalFailure());
  built.feeds.pop_back();  // the upstream gradient
  const auto got = planned({built.output}, {}, built.feeds, {backend, false, 1});
  const Json& want = one.contains("inference") ? one.at("inference") : one;
  expect_close(got[0], want.at("output"), 1e-5, "output");
}

std::string test_name(const testing::TestParamInfo<std::tuple<std::string, std::string>>& info) {
  return std::get<0>(info.param) + "_" + std::get<1>(info.param);
}

// Dropout is random in training.
INSTANTIATE_TEST_SUITE_P(PyTorch, GoldenBackendTraining,
                         testing::Combine(testing::ValuesIn(case_names("layers", "Dropout")),
                                          testing::ValuesIn(backend_names())),
                         test_name);

INSTANTIATE_TEST_SUITE_P(PyTorch, GoldenBackend,
                         testing::Combine(testing::ValuesIn(case_names("layers")),
                                          testing::ValuesIn(backend_names())),
                         test_name);

}  // namespace
}  // namespace goneuron::golden
