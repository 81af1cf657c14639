// A run that is killed in any step and begun again ends with the weights and the history, bit for
// bit, of one that never stopped. The program calls itself: `resume_test --child NAME FOLDER STEP
// RESULT` trains, kills itself with SIGKILL in that step, or writes its weights.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>

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
