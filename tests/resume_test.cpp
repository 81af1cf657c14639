// A run that is killed in any step and begun again ends with the weights and the history, bit for
// bit, of one that never stopped. The program calls itself: `resume_test --child NAME FOLDER STEP
// RESULT` trains, kills itself with SIGKILL in that step, or writes its weights.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>

#include "error_text.h"
#include "training_runs.h"

namespace goneuron {
namespace {

namespace fs = std::filesystem;

/// Does something in the step of this number, among all of the run; remembers how many there were.
class InStep : public CallbackBase {
 public:
  InStep(int step, std::function<void(TrainingState&)> act) : step_(step), act_(std::move(act)) {}
  void on_step_end(TrainingState& state) override {
    ++seen;
    if (state.epoch * state.steps + state.step == step_) act_(state);
  }
  void save(CallbackState& state) const override {
    state.numbers.emplace_back("seen", seen);
    for (int i = 0; i < 12; ++i) {  // they come back in their order, not in that of their names
      Tensor t(Shape{2});
      t.data()[0] = static_cast<float>(seen + i);
      state.tensors.emplace_back(std::to_string(i), t);
    }
  }
  void load(const CallbackState& state) override {
    seen = static_cast<int>(state.numbers.at(0).second);
    EXPECT_EQ(state.tensors.size(), 12U);
    for (int i = 0; i < 12; ++i)
      EXPECT_EQ(state.tensors[static_cast<size_t>(i)].second.data()[0],
                static_cast<float>(seen + i));
  }
  int seen = 0;

 private:
  int step_;
  std::function<void(TrainingState&)> act_;
};

/// Trains `name`; the bytes of its weights and history. Checkpoints are written every 5 batches:
/// between updates too where 3 of them make one.
std::string train(const std::string& name, const std::string& folder, const Callback& extra) {
  runs::Run run = runs::run_named(name);
  if (extra) run.options.callbacks.push_back(extra);
  if (!folder.empty())
    run.options.callbacks.push_back(BackupAndRestore(folder, {.every_steps = 5}));
  const History history = run.model.fit(run.data, run.options);
  return runs::bytes_of(run.model, history);
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

int child(const std::string& name, const std::string& folder, int step, const std::string& result) {
  const auto die = std::make_shared<InStep>(step, [](TrainingState&) { raise(SIGKILL); });
  const std::string bytes = train(name, folder, die);
  if (die->seen != runs::steps_an_epoch * runs::epochs) return 3;
  if (testing::UnitTest::GetInstance()->Failed()) return 4;
  std::ofstream(result, std::ios::binary) << bytes;
  return 0;
}

int run_child(const std::string& name, const std::string& folder, int step,
              const std::string& result) {
  const std::string number = std::to_string(step);
  const pid_t pid = fork();
  if (pid == 0) {
    execl("/proc/self/exe", "resume_test", "--child", name.c_str(), folder.c_str(), number.c_str(),
          result.c_str(), nullptr);
    _exit(127);
  }
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  return status;
}

class Resume : public testing::TestWithParam<const char*> {
 protected:
  Resume() : folder_(fs::path(testing::TempDir()) / ("resume_" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
  }
  ~Resume() override { fs::remove_all(folder_); }
  std::string in(const std::string& name) const { return (folder_ / name).string(); }
  fs::path folder_;
};

TEST_P(Resume, EndsWithTheBitsOfARunThatNeverStopped) {
  const std::string expected = train(GetParam(), "", nullptr);
  std::mt19937 random(20260101);
  for (int i = 0; i < 20; ++i) {
    const int step = static_cast<int>(random() % (runs::steps_an_epoch * runs::epochs));
    const std::string folder = in("run" + std::to_string(i)), result = in("weights");
    const int killed = run_child(GetParam(), folder, step, result);
    ASSERT_TRUE(WIFSIGNALED(killed) && WTERMSIG(killed) == SIGKILL) << step;
    const int ended = run_child(GetParam(), folder, -1, result);
    ASSERT_TRUE(WIFEXITED(ended)) << step;
    ASSERT_EQ(WEXITSTATUS(ended), 0) << step;
    ASSERT_EQ(read_file(result), expected) << "killed in step " << step;
    fs::remove_all(folder);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Resume, testing::Values("mlp", "cnn", "lstm", "gpt", "moe"),
                         [](const auto& info) { return std::string(info.param); });

class Folder : public Resume {};

TEST_F(Folder, ARunThatIsDoneIsNotTrainedAgain) {
  const std::string first = train("mlp", in("run"), nullptr);
  const auto count = std::make_shared<InStep>(-1, nullptr);
  runs::Run run = runs::run_named("mlp");
  run.options.resume = in("run");
  run.options.callbacks = {count};
  const History history = run.model.fit(run.data, run.options);
  EXPECT_EQ(runs::bytes_of(run.model, history), first);
  EXPECT_EQ(count->seen, 0);
}

TEST_F(Folder, MoreEpochsGoOnFromTheEnd) {
  runs::Run whole = runs::run_named("gpt");
  whole.options.epochs = 4;
  const std::string expected =
      runs::bytes_of(whole.model, whole.model.fit(whole.data, whole.options));
  train("gpt", in("run"), nullptr);
  runs::Run more = runs::run_named("gpt");
  more.options.epochs = 4;
  more.options.resume = in("run");
  EXPECT_EQ(runs::bytes_of(more.model, more.model.fit(more.data, more.options)), expected);
}

TEST_F(Folder, KeepsTheNewest) {
  train("mlp", in("run"), nullptr);
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(in("run")))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{"checkpoint-0002-0000010.safetensors",
                                             "checkpoint-0003-0000000.safetensors"}));
}

TEST_F(Folder, ACheckpointIsAModelFile) {
  runs::Run run = runs::run_named("cnn");
  run.options.resume = in("run");
  run.model.fit(run.data, run.options);
  const Model loaded = Model::load(in("run/checkpoint-0003-0000000.safetensors"));
  const Tensor x = run.data.arrays().x;
  EXPECT_TRUE(loaded.predict(x) == run.model.predict(x));
}

TEST_F(Folder, ACallbackThatStopsEndsTheRunForGood) {
  runs::Run run = runs::run_named("mlp");
  run.options.resume = in("run");
  run.options.callbacks = {
      std::make_shared<InStep>(15, [](TrainingState& state) { state.stop = true; })};
  const std::string first = runs::bytes_of(run.model, run.model.fit(run.data, run.options));
  runs::Run again = runs::run_named("mlp");
  again.options.resume = in("run");
  EXPECT_EQ(runs::bytes_of(again.model, again.model.fit(again.data, again.options)), first);
}

TEST_F(Folder, AnInterruptWritesACheckpointAndGoesOnToTheProgramsHandler) {
  const std::string expected = train("lstm", "", nullptr);
  static volatile std::sig_atomic_t handled = 0;
  std::signal(SIGINT, [](int) { handled = 1; });
  runs::Run run = runs::run_named("lstm");
  run.options.resume = in("run");
  run.options.callbacks = {std::make_shared<InStep>(16, [](TrainingState&) { raise(SIGINT); })};
  const History history = run.model.fit(run.data, run.options);
  EXPECT_EQ(handled, 1);
  EXPECT_EQ(history.epochs.size(), 1U);
  std::signal(SIGINT, SIG_DFL);
  EXPECT_TRUE(fs::exists(in("run/checkpoint-0001-0000005.safetensors")));
  EXPECT_EQ(train("lstm", in("run"), nullptr), expected);
}

TEST_F(Folder, AnInterruptAtAnEpochsEndIsNotForgotten) {
  const std::string expected = train("mlp", "", nullptr);
  static volatile std::sig_atomic_t handled = 0;
  std::signal(SIGINT, [](int) { handled = 1; });
  runs::Run run = runs::run_named("mlp");
  run.options.resume = in("run");
  run.options.callbacks = {Lambda([](TrainingState& state) {
    if (state.epoch == 1) raise(SIGINT);
  })};
  EXPECT_EQ(run.model.fit(run.data, run.options).epochs.size(), 2U);
  EXPECT_EQ(handled, 1);
  std::signal(SIGINT, SIG_DFL);
  EXPECT_EQ(train("mlp", in("run"), nullptr), expected);
}

TEST_F(Folder, WithoutAHandlerAnInterruptEndsTheProgram) {
  const pid_t pid = fork();
  if (pid == 0) {
    execl("/proc/self/exe", "resume_test", "--interrupt", in("run").c_str(), nullptr);
    _exit(127);
  }
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
  EXPECT_TRUE(fs::exists(in("run/checkpoint-0001-0000005.safetensors")));
}

/// Two epochs of a line's fit at `rate`, which a callback halves after the first one.
double rate_at_the_end(const std::string& folder, double rate, i64 epochs) {
  auto model = Sequential({Dense(1)});
  model.compile(SGD(rate), MSE, {}, {.seed = 1});
  const Callback halve = Lambda([](TrainingState& state) {
    if (state.epoch == 0) state.learning_rate /= 2;
  });
  model.fit(runs::noise({8, 2}, 1), runs::noise({8, 1}, 2),
            {.epochs = epochs, .callbacks = {halve}, .resume = folder});
  return model.learning_rate();
}

TEST_F(Folder, TheRateIsTheCheckpointsUntilTheProgramGivesAnother) {
  EXPECT_EQ(rate_at_the_end(in("run"), 0.25, 2), 0.125);
  EXPECT_EQ(rate_at_the_end(in("run"), 0.25, 3), 0.125) << "as it would be without a stop";
  EXPECT_EQ(rate_at_the_end(in("run"), 0.0625, 4), 0.0625) << "lowered by hand";
  EXPECT_EQ(rate_at_the_end(in("run"), 0.0625, 5), 0.0625);
}

/// What a callback made of it is not what the program gave.
TEST_F(Folder, TheRateOfASecondFitIsTheProgramsToo) {
  const auto run = [&](i64 fits) {
    auto model = Sequential({Dense(1)});
    model.compile(SGD(0.25), MSE, {}, {.seed = 1});
    const Callback halve = Lambda([](TrainingState& state) { state.learning_rate /= 2; });
    for (i64 i = 1; i <= fits; ++i)
      model.fit(runs::noise({8, 2}, 1), runs::noise({8, 1}, 2),
                {.epochs = 2 * i, .callbacks = {halve}, .resume = in("run")});
    return model.learning_rate();
  };
  EXPECT_EQ(run(2), 0.25 / 16);
  EXPECT_EQ(run(3), 0.25 / 64) << "goes on where it was";
}

/// Fits once and once more with another data set; what is said of that, or "".
std::string second_fit(const std::string& folder, const Dataset& first, const Dataset& second) {
  auto model = Sequential({Flatten(), Dense(1)});
  model.compile(SGD(0.01), MSE);
  model.fit(first, {.resume = folder});
  try {
    model.fit(second, {.epochs = 2, .resume = folder});
  } catch (const GraphError& error) {
    return error.what();
  }
  return "";
}

TEST_F(Folder, OtherSamplesAreNoticedWhereverTheyLie) {
  const Tensor x = runs::noise({5000, 3}, 1), y = runs::noise({5000, 1}, 2);
  Tensor other = x.clone();
  for (i64 i = 0; i < other.size(); ++i) other.data()[i] *= 1.0001F;
  int tables = 0;
  const auto as_table = [&](const Tensor& t, i64 memory) {
    const std::string path = in("table" + std::to_string(++tables));
    std::ofstream file(path);
    file << "a,b,c,y\n";
    for (i64 i = 0; i < 5000; ++i)
      file << t.at({i, 0}) << ',' << t.at({i, 1}) << ',' << t.at({i, 2}) << ',' << y.at({i, 0})
           << '\n';
    file.close();
    return data::csv(path, {.target = "y", .normalize = data::Normalize::none, .memory = memory})
        .data;
  };
  const auto map = [](const Sample& s) { return s; };
  std::vector<std::function<Dataset(const Tensor&)>> forms;
  forms.emplace_back([&](const Tensor& t) { return Dataset(t, y); });
  forms.emplace_back([&](const Tensor& t) { return Dataset(t, y).map(map).shuffle(3); });
  forms.emplace_back([&](const Tensor& t) {
    return Dataset(t, y).weighted(Tensor(std::vector<float>(5000, 2))).take(4000);
  });
  forms.emplace_back([&](const Tensor& t) { return Dataset(t, y).concat(Dataset(t, y)); });
  forms.emplace_back([&](const Tensor& t) { return as_table(t, i64{1} << 30); });
  forms.emplace_back([&](const Tensor& t) { return as_table(t, 0); });
  for (size_t i = 0; i < forms.size(); ++i) {
    const std::string same = in("same" + std::to_string(i)), run = in("run" + std::to_string(i));
    EXPECT_EQ(second_fit(same, forms[i](x), forms[i](x)), "") << i;
    expect_contains(second_fit(run, forms[i](x), forms[i](other)), {"but other ones"});
  }
  const Dataset data(x, y);
  expect_contains(second_fit(in("order"), data.shuffle(1), data.shuffle(2)), {"but other ones"});
}

TEST_F(Folder, FunctionsAreNotCalledToCompareData) {
  std::atomic<int> calls = 0;
  const auto make = [&](i64 i) {
    ++calls;
    return Sample{runs::noise({3}, static_cast<std::uint32_t>(i)), Tensor(Shape{1})};
  };
  const Dataset data = data::generator(40, make);
  const int before = calls;
  EXPECT_EQ(second_fit(in("run"), data, data), "");
  EXPECT_EQ(calls - before, 80) << "once for each sample of the two epochs";
}

/// Checkpoints from before there were these facts: blanks in their place.
TEST_F(Folder, OlderCheckpointsGoOn) {
  EXPECT_EQ(rate_at_the_end(in("run"), 0.25, 2), 0.125);
  for (const auto& entry : fs::directory_iterator(in("run"))) {
    std::string bytes = read_file(entry.path());
    const size_t begin = bytes.find(",\\\"data\\\":");
    const size_t end = bytes.find(",\\\"epoch\\\":", begin);
    ASSERT_TRUE(begin < end && end != std::string::npos);
    bytes.replace(begin, end - begin, end - begin, ' ');
    std::ofstream(entry.path(), std::ios::binary) << bytes;
  }
  EXPECT_EQ(rate_at_the_end(in("run"), 0.0625, 3), 0.125) << "which rate was given is not known";
}

int interrupted(const std::string& folder) {
  train("mlp", folder, std::make_shared<InStep>(16, [](TrainingState&) { raise(SIGINT); }));
  return 0;
}

}  // namespace
}  // namespace goneuron

int main(int argc, char** argv) {
  if (argc == 6 && std::string(argv[1]) == "--child")
    return goneuron::child(argv[2], argv[3], std::atoi(argv[4]), argv[5]);
  if (argc == 3 && std::string(argv[1]) == "--interrupt") return goneuron::interrupted(argv[2]);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
