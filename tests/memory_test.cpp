// memory_report(), printed before training, against what the process really grows by in fit():
// resident memory as the system counts it, each model in a process of its own.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
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

/// Without the pages of the program itself, which are read in as its functions are first called.
i64 resident_bytes() {
  std::ifstream status("/proc/self/status");
  i64 kib = 0;
  for (std::string word; status >> word;)
    if (word == "RssAnon:") status >> kib;
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

/// The report's promise, and what came of it: from the report on, so
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

struct Measured {
  const char* name;
  Growth (*run)();
};
constexpr Measured measured[] = {
    {"wide_mlp",
     [] {
       return train(
           Sequential({Flatten(), Dense(2048, ReLU), Dense(2048, GELU), Dense(10, Softmax)}),
           data_for(1024, {28, 28, 1}, 10), {.epochs = 2, .batch_size = 512});
     }},
    {"last_batch_and_validation",
     [] {
       return train(
           Sequential({Flatten(), Dense(1024, ReLU), Dense(1024, ReLU), Dense(10, Softmax)}),
           data_for(1300, {28, 28, 1}, 10),
           {.epochs = 2, .batch_size = 512, .validation_split = 0.25});
     }},
    {"cnn",
     [] {
       return train(cnn_model(), data_for(1024, {28, 28, 1}, 10), {.epochs = 2, .batch_size = 512});
     }},
    {"prefetched", [] {
       return train(Sequential({Flatten(), Dense(64, ReLU), Dense(10, Softmax)}),
                    data_for(3072, {64, 64, 1}, 10).prefetch(), {.epochs = 2, .batch_size = 1024});
     }}};

/// For the process of its own that a test starts.
int measure(const std::string& name) {
  for (const Measured& one : measured)
    if (name == one.name) {
      const Growth growth = one.run();
      std::printf("%lld %lld\n", static_cast<long long>(growth.told),
                  static_cast<long long>(growth.grown));
      return 0;
    }
  return 1;
}

class MemoryOf : public testing::TestWithParam<const char*> {};

TEST_P(MemoryOf, GrowsAsTold) {
  const std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
  FILE* child = popen(("'" + program + "' --measure " + GetParam()).c_str(), "r");
  ASSERT_NE(child, nullptr);
  long long told = 0, grown = 0;
  EXPECT_EQ(std::fscanf(child, "%lld %lld", &told, &grown), 2);
  EXPECT_EQ(pclose(child), 0);
  EXPECT_GT(told, 1 << 20);
  if (!memory_is_plain) return;
  EXPECT_LE(std::fabs(static_cast<double>(grown - told)), 0.05 * static_cast<double>(grown))
      << "told " << told << ", grew by " << grown;
}

INSTANTIATE_TEST_SUITE_P(Fit, MemoryOf,
                         testing::Values("wide_mlp", "last_batch_and_validation", "cnn",
                                         "prefetched"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace goneuron::testing_plan

int main(int argc, char** argv) {
  if (argc == 3 && std::string(argv[1]) == "--measure")
    return goneuron::testing_plan::measure(argv[2]);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
