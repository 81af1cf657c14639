// The commands of the `goneuron` program; each prints to standard output and throws an Error when
// it cannot. Used by main.cpp.
#pragma once

#include <string>
#include <vector>

namespace goneuron::cli {

// Exit codes, as --help tells them.
inline constexpr int exit_failed = 1, exit_usage = 2, exit_interrupted = 3, exit_machine = 4;

/// Version, CPU, threads, libraries and devices.
void info();
/// The summary of a saved model.
void summary(const std::string& path);

struct TrainOptions {
  std::vector<std::string> overrides;  ///< "fit.epochs=1"
  bool overwrite = false;              ///< a run that is there already
  bool quiet = false;                  ///< no progress
  bool help_config = false;            ///< prints the schema instead
  bool check = false;                  ///< everything but the training
};
/// Every key of a config.
void help_config();
/// Trains as a config says; 0, or exit_interrupted.
int train(const std::string& path, const TrainOptions& options);
/// What a config's data and model are.
void show_config(const std::string& path);
/// Goes on from a run's newest checkpoint.
int resume(const std::string& path, const TrainOptions& options);

struct EvaluateOptions {
  std::vector<std::string> overrides;
  std::string data;   ///< other data of the same form; empty: the config's
  std::string part;   ///< train, validation or test; empty: test, else validation
  bool json = false;  ///< one object
};
/// Loss and metrics of a run's model.
void evaluate(const std::string& path, const EvaluateOptions& options);

struct PredictOptions {
  std::vector<std::string> inputs;  ///< files; "-": standard input; of a text the text itself, too
  std::string output;               ///< a file; empty: standard output
  bool json = false;                ///< else CSV
  bool all = false;                 ///< the probability of each class
  double temperature = 0.8;         ///< of a text that is written on; 0: the likeliest character
  long long length = 400;           ///< its characters
  unsigned long long seed = 0;
};
/// What a run's model makes of inputs.
void predict(const std::string& path, const PredictOptions& options);
/// What a file is and what is in it.
void inspect(const std::string& path);
/// Writes report.html of a run again.
void report(const std::string& path);

struct InitOptions {
  std::string target;  ///< of a table; empty: its last column
  std::string output;  ///< the config; empty: named after the target or the data
  bool overwrite = false;
};
/// Writes a config for data.
void init(const std::string& path, const InitOptions& options);

struct BenchOptions {
  int threads = 0;     ///< 0: one a core
  double seconds = 3;  ///< of timing, a workload
  bool infer = false;  ///< predictions of one sample instead of training steps
  bool bf16 = false;   ///< products of bf16
  bool json_only = false;
  bool profile = false;  ///< a table of the training step's parts goes before
};
/// A line for people, then one JSON object on the last line.
void bench(const std::string& workload, const BenchOptions& options);
std::vector<std::string> workload_names();
/// The same for text of numbers, parsed by one core; of `options`, seconds and json_only count.
void bench_csv(const BenchOptions& options);

}  // namespace goneuron::cli
