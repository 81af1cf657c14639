// Training whose numbers are written down beforehand, for tests of callbacks that watch them.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "line_model.h"

namespace goneuron {

/// An accumulator that gives numbers[i] in the i-th epoch.
class Scripted : public Accumulator {
 public:
  explicit Scripted(std::vector<double> numbers) : numbers_(std::move(numbers)) {}
  void reset() override { ++epoch_; }
  void add(const float*, i64) override {}
  void finish(double* numbers) override { numbers[0] = numbers_.at(static_cast<size_t>(epoch_)); }
  std::vector<double> state() const override { return {static_cast<double>(epoch_)}; }
  void restore(const std::vector<double>& state) override { epoch_ = static_cast<i64>(state[0]); }

 private:
  std::vector<double> numbers_;
  i64 epoch_ = -1;
};

/// A model on line_data() whose metric "score" takes these values, one an epoch.
inline Model scripted_model(const std::vector<double>& numbers, double rate = 0.1,
                            const CompileOptions& options = {.seed = 1}) {
  auto model = Sequential({Dense(1)});
  model.compile(SGD(rate), MSE,
                {Metric("score",
                        [=](const Symbol&, const Symbol& p) {
                          return Evidence{p, [=] { return std::make_unique<Scripted>(numbers); }};
                        })},
                options);
  return model;
}

inline std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A folder of files that goes away with the test.
class Folder {
 public:
  Folder() {
    std::string made = std::filesystem::temp_directory_path() / "goneuron_watch_XXXXXX";
    path_ = mkdtemp(made.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string path(const std::string& name = "") const { return path_ / name; }
  std::vector<std::string> files(const std::string& name = "") const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_ / name))
      names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  std::filesystem::path path_;
};

/// Every bit of the weights.
inline std::string bits_of(const Model& model) {
  std::string bits;
  for (const Weight& weight : model.weights())
    bits.append(static_cast<const char*>(weight.value.raw()),
                static_cast<size_t>(weight.value.bytes()));
  return bits;
}

}  // namespace goneuron
