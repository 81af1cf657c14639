// memory_report(), printed before training, against what the process really grows by in fit():
// resident memory as the system counts it, each model in a process of its own.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <random>
#include <sstream>

#include "plan_models.h"
#include "train/footprint.h"

namespace goneuron::testing_plan {
namespace {

// Under sanitizers memory has shadows and quarantines: only the report itself is tested there.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool memory_is_plain = false;
#else
constexpr bool memory_is_plain = true;
#endif

i64 resident_bytes() {
  std::ifstream status("/proc/self/status");
  i64 kib = 0;
  for (std::string word; status >> word;)
    if (word == "VmRSS:") status >> kib;
  return kib * 1024;
}

/// The number before "bytes" in the report's last line, and the one of those held already.
struct Told {
  i64 total = 0, held = 0;
};
Told read_report(const std::string& report) {
  Told told;
  std::istringstream words(report.substr(report.rfind("total")));
  std::vector<std::string> list;
  for (std::string word; words >> word;) list.push_back(word);
  for (size_t i = 1; i < list.size(); ++i) {
    if (list[i] == "bytes,") told.total = std::stoll(list[i - 1]);
    if (list[i] == "of") told.held = std::stoll(list[i - 1]);
  }
  return told;
}

Dataset data_for(i64 samples, const Shape& sample, std::uint32_t classes) {
  std::mt19937 random(1);
  Tensor x(sample.with_batch(samples), DType::u8), y(Shape{samples}, DType::u8);
  for (i64 i = 0; i < x.size(); ++i)
    x.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(random());
  for (i64 i = 0; i < samples; ++i)
    y.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(random() % classes);
  return Dataset(x, y);
}

struct Growth {
  i64 told = 0, grown = 0;
};

/// Looks while fit() runs: its batches are gone when it returns.
class Look : public CallbackBase {
 public:
  void on_epoch_end(TrainingState&) override { most = std::max(most, resident_bytes()); }
  i64 most = 0;
};

/// Runs in a process of its own: the report's promise, and what came of it. From the report on, so
/// that the weights, which are held by then, count on neither side.
Growth train(Model model, const Dataset& data, FitOptions options) {
  model.compile(Adam(0.001), CrossEntropy, {Accuracy});
  const Told told = read_report(model.memory_report(data, options));
  const i64 before = resident_bytes();
  const auto look = std::make_shared<Look>();
  options.callbacks = {look};
  model.fit(data, options);
  return {told.total - told.held, look->most - before};
}

Growth in_child(const std::function<Growth()>& measure) {
  int ends[2];
  if (pipe(ends) != 0) return {};
  const pid_t child = fork();
  if (child == 0) {
    const Growth growth = measure();
    const bool written = write(ends[1], &growth, sizeof growth) == sizeof growth;
    _exit(written ? 0 : 1);
  }
  close(ends[1]);
  Growth growth;
  const bool got = read(ends[0], &growth, sizeof growth) == sizeof growth;
  close(ends[0]);
  int code = 1;
  waitpid(child, &code, 0);
  EXPECT_TRUE(got && code == 0) << "the measuring process failed";
  return growth;
}

void expect_told_right(const std::function<Growth()>& measure) {
  if (!memory_is_plain) return;
  const Growth growth = in_child(measure);
  const double off =
      static_cast<double>(growth.grown - growth.told) / static_cast<double>(growth.grown);
  EXPECT_LE(std::fabs(off), 0.05) << "told " << growth.told << ", grew by " << growth.grown;
}

TEST(Memory, WideMlpGrowsAsTold) {
  expect_told_right([] {
    return train(Sequential({Flatten(), Dense(2048, ReLU), Dense(2048, GELU), Dense(10, Softmax)}),
                 data_for(1024, {28, 28, 1}, 10), {.epochs = 2, .batch_size = 512});
  });
}

TEST(Memory, LastBatchAndValidationAreTold) {
  expect_told_right([] {
    return train(Sequential({Flatten(), Dense(1024, ReLU), Dense(1024, ReLU), Dense(10, Softmax)}),
                 data_for(1300, {28, 28, 1}, 10),
                 {.epochs = 2, .batch_size = 512, .validation_split = 0.25});
  });
}

TEST(Memory, CnnGrowsAsTold) {
  expect_told_right([] {
    return train(cnn_model(), data_for(512, {28, 28, 1}, 10), {.epochs = 2, .batch_size = 256});
  });
}

TEST(Memory, PrefetchedBatchesAreTold) {
  expect_told_right([] {
    return train(Sequential({Flatten(), Dense(64, ReLU), Dense(10, Softmax)}),
                 data_for(3072, {64, 64, 1}, 10).prefetch(), {.epochs = 2, .batch_size = 1024});
  });
}

}  // namespace
}  // namespace goneuron::testing_plan
