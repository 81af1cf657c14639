// Schedules step by step, and training runs with schedules, clipping, parameter groups, averages
// and accumulation, against PyTorch; on one thread and on two.
#include "golden.h"
#include "goneuron/goneuron.h"

namespace goneuron::golden {
namespace {

Schedule schedule_of(const std::string& kind, const std::vector<double>& n) {
  if (kind == "StepDecay") return StepDecay(n[0], static_cast<i64>(n[1]), n[2]);
  if (kind == "ExponentialDecay") return ExponentialDecay(n[0], n[1]);
  if (kind == "Schedule")
    return Schedule([=](i64 step) { return n[0] / static_cast<double>(1 + step); });
  const auto first = static_cast<i64>(n[1]);
  if (kind == "CosineDecay") return CosineDecay(n[0], first, {.end = n[2]});
  const auto total = static_cast<i64>(n[2]);
  const WarmupOptions options{.start = n[3], .end = n[4]};
  if (kind == "WarmupLinear") return WarmupLinear(n[0], first, total, options);
  return WarmupCosine(n[0], first, total, options);
}

std::vector<std::string> names(bool schedules) {
  std::vector<std::string> all;
  for (const Json& one : cases("updates"))
    if (one.contains("rates") == schedules) all.push_back(one.at("name"));
  return all;
}

class GoldenSchedule : public testing::TestWithParam<std::string> {};

TEST_P(GoldenSchedule, RateOfEachStep) {
  const Json& one = case_named("updates", GetParam());
  const Schedule schedule = schedule_of(one.at("schedule"), one.at("numbers"));
  const std::vector<double> rates = one.at("rates");
  // PyTorch's linear rates are products of up to 20 factors; the file has 12 digits.
  for (size_t step = 0; step < rates.size(); ++step)
    EXPECT_NEAR(schedule(static_cast<i64>(step)), rates[step], 1e-11 * rates[0]) << "step " << step;
}

INSTANTIATE_TEST_SUITE_P(PyTorch, GoldenSchedule, testing::ValuesIn(names(true)),
                         [](const auto& info) { return info.param; });

/// What the cases' names stand for in groups: written as a user would.
std::vector<ParameterGroup> groups_of(const std::string& name) {
  if (name == "adamw_no_decay") return {{"*bias", {.weight_decay = 0}}};
  if (name == "sgd_groups")
    return {{"dense/*", {.learning_rate_scale = 0.1}},
            {[](const Weight& weight) { return weight.value.shape() == Shape{3}; },
             {.weight_decay = 0}}};
  if (name == "adamw_everything")
    return {{"dense/bias", {.learning_rate_scale = 0.5, .weight_decay = 0}},
            {"dense/w?ight|nothing", {.learning_rate_scale = 0.5}}};
  if (name == "adam_frozen") return {{"dense/*", {.trainable = false}}};
  return {};
}

Optimizer optimizer_of(const Json& one) {
  const std::string kind = one.at("optimizer"), name = one.at("name");
  const Json& o = one.at("options");
  const Schedule rate = one.contains("schedule")
                            ? schedule_of(one.at("schedule"), one.at("numbers"))
                            : Schedule(o.at("learning_rate").get<double>());
  const double decay = o.value("weight_decay", 0.0);
  const double value = o.value("clip_value", 0.0), norm = o.value("clip_norm", 0.0),
               global = o.value("global_clip_norm", 0.0);
  const auto groups = groups_of(name);
  // "everything" leaves its last bias to the convenience.
  const bool decay_all = name != "adamw_everything";
  if (kind == "SGD")
    return SGD(rate, {.momentum = o.value("momentum", 0.0),
                      .nesterov = o.value("nesterov", false),
                      .weight_decay = decay,
                      .decay_norms_and_biases = decay_all,
                      .clip_value = value,
                      .clip_norm = norm,
                      .global_clip_norm = global,
                      .groups = groups});
  if (kind == "Adam")
    return Adam(rate, {.weight_decay = decay,
                       .decay_norms_and_biases = decay_all,
                       .clip_value = value,
                       .clip_norm = norm,
                       .global_clip_norm = global,
                       .groups = groups});
  return AdamW(rate, {.weight_decay = o.value("weight_decay", AdamWOptions().weight_decay),
                      .decay_norms_and_biases = decay_all,
                      .clip_value = value,
                      .clip_norm = norm,
                      .global_clip_norm = global,
                      .groups = groups});
}

/// Notes the loss of each batch: the running mean of an epoch, taken back.
class Losses : public CallbackBase {
 public:
  void on_step_end(TrainingState& state) override {
    const auto samples = static_cast<double>(state.samples);
    const double sum = (*state.logs)["loss"] * samples;
    const double before = state.step == 0 ? 0 : sum_, seen = state.step == 0 ? 0 : samples_;
    all.push_back((sum - before) / (samples - seen));
    sum_ = sum;
    samples_ = samples;
  }
  std::vector<double> all;

 private:
  double sum_ = 0, samples_ = 0;
};

class GoldenUpdates : public testing::TestWithParam<std::tuple<std::string, int>> {
 protected:
  void TearDown() override { set_threads(0); }
};

TEST_P(GoldenUpdates, TrainingRun) {
  const auto& [name, workers] = GetParam();
  const Json& one = case_named("updates", name);
  set_threads(workers);
  auto model = Sequential({Dense(5, Tanh), Dense(3)});
  model.build({4});
  const double ema = one.value("ema", 0.0);
  model.compile(optimizer_of(one), MSE, {}, {.ema = ema});
  const auto weights = model.weights();
  const auto start = tensors_of(one.at("start"));
  model.layers().at(0).set_weights({start[0], start[1]});
  model.layers().at(1).set_weights({start[2], start[3]});
  const auto losses = std::make_shared<Losses>();
  model.fit(tensor_of(one.at("x")), tensor_of(one.at("y")),
            {.epochs = one.at("epochs"),
             .batch_size = 4,
             .shuffle = false,
             .accumulate = one.at("accumulate"),
             .callbacks = {losses}});
  const std::vector<double> want = one.at("losses");
  ASSERT_EQ(losses->all.size(), want.size());
  for (size_t step = 0; step < want.size(); ++step)
    EXPECT_NEAR(losses->all[step], want[step], 1e-5 * want[step]) << "batch " << step;
  for (size_t i = 0; i < weights.size(); ++i)
    expect_close(weights[i].value, one.at("after")[i], 1e-5, weights[i].name);
  if (ema == 0) return;
  const AveragedWeights averaged(model);
  for (size_t i = 0; i < weights.size(); ++i)
    expect_close(weights[i].value, one.at("averages")[i], 1e-5, "average of " + weights[i].name);
}

INSTANTIATE_TEST_SUITE_P(PyTorch, GoldenUpdates,
                         testing::Combine(testing::ValuesIn(names(false)), testing::Values(1, 2)),
                         [](const auto& info) {
                           return std::get<0>(info.param) + "_" +
                                  std::to_string(std::get<1>(info.param)) + "_threads";
                         });

}  // namespace
}  // namespace goneuron::golden
