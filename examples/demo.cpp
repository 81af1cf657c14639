// The first program: a convolutional network on Fashion-MNIST, with a report of what it learnt.
// usage: example_demo [--epochs N] [--seed S] [--threads N]   leaves demo-report.html in the
// current folder
#include <fmt/format.h>
#include <goneuron/goneuron.h>

#include <charconv>
#include <chrono>
#include <cstring>
#include <fstream>

#include "io/html_report.h"
using namespace goneuron;

namespace {

constexpr const char* class_names[] = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                       "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
constexpr const char* usage = "usage: demo [--epochs N] [--seed S] [--threads N]\n";

struct Options {
  i64 epochs = 10, seed = 0, threads = 0;
};

/// False when an argument is not one of the three, or not a whole number of at least its minimum.
bool read_options(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; i += 2) {
    i64* option = std::strcmp(argv[i], "--epochs") == 0    ? &options.epochs
                  : std::strcmp(argv[i], "--seed") == 0    ? &options.seed
                  : std::strcmp(argv[i], "--threads") == 0 ? &options.threads
                                                           : nullptr;
    if (option == nullptr || i + 1 == argc) return false;
    const char* end = argv[i + 1] + std::strlen(argv[i + 1]);
    const auto [stop, error] = std::from_chars(argv[i + 1], end, *option);
    if (error != std::errc() || stop != end || *option < (option == &options.epochs ? 1 : 0))
      return false;
  }
  return options.threads <= 1024;
}

/// The largest resident size so far, in MB; 0 where the system does not tell.
double peak_memory_mb() {
  std::ifstream status("/proc/self/status");
  double kib = 0;
  for (std::string word; status >> word;)
    if (word == "VmHWM:") status >> kib;
  return kib * 1024 / 1e6;
}

/// The first `count` test images with what the model takes them for.
std::vector<ReportImage> predictions(const Model& model, const Dataset& test, i64 count) {
  const Sample data = test.take(count).arrays();
  const Tensor shares = model.predict(data.x), best = shares.argmax();
  std::vector<ReportImage> images;
  for (i64 i = 0; i < count; ++i) {
    const auto predicted = static_cast<i64>(best.at({i})),
               actual = static_cast<i64>(data.y.at({i}));
    images.push_back(
        {data.x[i], class_names[predicted], class_names[actual], shares.at({i, predicted})});
  }
  return images;
}

void run(const Options& options) {
  set_threads(static_cast<int>(options.threads));
  const auto seed = static_cast<std::uint64_t>(options.seed);
  auto [train, test] = data::fashion_mnist();

  auto model = Sequential({
      Conv2D(32, 3, {.padding = Same, .activation = ReLU}),
      MaxPool2D(2),
      Flatten(),
      Dense(10, Softmax),
  });
  model.build(train.x_shape());
  model.compile(Adam(0.001), CrossEntropy, {Accuracy}, {.seed = seed});
  const FitOptions fit{.epochs = options.epochs,
                       .batch_size = 32,
                       .validation = test,
                       .seed = seed,
                       .callbacks = {Logger(1)}};
  const std::string memory = model.memory_report(train, fit);
  fmt::print("{}\n", memory);
  std::fflush(stdout);

  const auto start = std::chrono::steady_clock::now();
  const History history = model.fit(train, fit);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double accuracy = model.evaluate(test)["accuracy"];
  fmt::print("test accuracy {:.4f}\n", accuracy);

  const double samples = static_cast<double>(train.size() * options.epochs);
  write_report("demo-report.html",
               {.title = "Fashion-MNIST with GoNeuron",
                .subtitle = fmt::format(
                    "A convolutional network of {} weights, trained on {} images and tested on {}.",
                    model.parameters(), train.size(), test.size()),
                .facts = {{"test accuracy", fmt::format("{:.4f}", accuracy)},
                          {"epochs", fmt::format("{}", options.epochs)},
                          {"training time", fmt::format("{:.1f} s", seconds)},
                          {"samples / s", fmt::format("{:.0f}", samples / seconds)},
                          {"peak memory", fmt::format("{:.0f} MB", peak_memory_mb())},
                          {"threads", fmt::format("{}", threads())}},
                .history = history,
                .images = predictions(model, test, 60),
                .listings = {{"Model", model.summary(32)}, {"Memory", memory}}});
  fmt::print("demo-report.html shows curves and predictions\n");
}

}  // namespace

int main(int argc, char** argv) try {
  Options options;
  if (!read_options(argc, argv, options)) {
    fmt::print(stderr, "{}", usage);
    return 2;
  }
  run(options);
} catch (const Error& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}
