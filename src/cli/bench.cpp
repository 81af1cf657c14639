#include "cli/bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/malloc_count.h"
#include "cli/peak.h"
#include "cli/workloads.h"
#include "goneuron/device.h"

namespace goneuron::cli {
namespace {

constexpr int warm_up_steps = 3, runs = 11;

double seconds_of(const StepLoop& loop, i64 steps) {
  const auto start = std::chrono::steady_clock::now();
  loop(steps);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct Timing {
  double median_ms = 0, min_ms = 0;
  double allocations = -1;  // a step; -1: not counted
  i64 steps = 0;            // a run
};

/// Runs of as many steps each as fill `seconds` together.
Timing time_steps(const StepLoop& loop, double seconds) {
  loop(warm_up_steps);
  Timing timing;
  const double one = std::max(seconds_of(loop, 1), 1e-7);
  timing.steps = std::max<i64>(1, static_cast<i64>(seconds / runs / one));
  double ms[runs];
  const auto calls = allocation_calls();
  for (double& run : ms)
    run = seconds_of(loop, timing.steps) / static_cast<double>(timing.steps) * 1e3;
  if (calls >= 0)
    timing.allocations =
        static_cast<double>(allocation_calls() - calls) / static_cast<double>(runs * timing.steps);
  std::sort(ms, ms + runs);
  timing.median_ms = ms[runs / 2], timing.min_ms = ms[0];
  return timing;
}

/// The largest resident size so far, in bytes; 0 where the system does not tell.
i64 peak_memory_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "VmHWM:") {
      i64 kib = 0;
      status >> kib;
      return kib * 1024;
    }
  return 0;
}

nlohmann::ordered_json measure(const Workload& workload, const BenchOptions& options) {
  const i64 batch = options.infer ? 1 : workload.batch;
  const Model model = workload.build({.precision = options.bf16 ? BF16 : F32});
  const Sample data = workload.data(batch);
  if (options.profile && !options.infer) {
    fmt::print("{}\n", profile(model, data.x, data.y));
  }
  const Timing timing = time_steps(
      options.infer ? inference_steps(model, data.x) : training_steps(model, data.x, data.y),
      options.seconds);
  const double flops =
      static_cast<double>(batch) * (options.infer ? workload.infer_flops : workload.train_flops);
  const double gflops = flops / timing.median_ms * 1e-6, peak = measured_peak_gflops(threads());
  const auto rounded = [](double value, double parts) { return std::round(value * parts) / parts; };
  nlohmann::ordered_json out = {
      {"workload", workload.name},
      {"mode", options.infer ? "infer" : "train"},
      {"precision", options.bf16 ? "bf16" : "f32"},
      {"threads", threads()},
      {"batch", batch},
      {"parameters", model.parameters()},
      {"ms_per_step", rounded(timing.median_ms, 1e6)},
      {"ms_min", rounded(timing.min_ms, 1e6)},
      {"samples_per_s", rounded(static_cast<double>(batch) / timing.median_ms * 1e3, 10)},
      {"gflops", rounded(gflops, 1e3)},
      {"peak_gflops", rounded(peak, 10)},
      {"peak_fraction", rounded(gflops / peak, 1e7)},
      {"allocations_per_step", nullptr},
      {"peak_memory_bytes", peak_memory_bytes()},
      {"runs", runs},
      {"steps_per_run", timing.steps},
      {"version", version()},
  };
  if (timing.allocations >= 0) out["allocations_per_step"] = timing.allocations;
  return out;
}

void print(const nlohmann::ordered_json& result, bool json_only) {
  if (!json_only)
    fmt::print(
        "{} ({}, batch {}, {} threads): {:.4f} ms per step (best {:.4f}), {:.0f} samples/s, {:.1f} "
        "GFLOP/s, "
        "{:.1f} % of this machine's peak of multiply-adds{}\n",
        result["workload"].get<std::string>(), result["mode"].get<std::string>(),
        result["batch"].get<i64>(), result["threads"].get<int>(),
        result["ms_per_step"].get<double>(), result["ms_min"].get<double>(),
        result["samples_per_s"].get<double>(), result["gflops"].get<double>(),
        100 * result["peak_fraction"].get<double>(),
        result["peak_fraction"].get<double>() <= 1 ? ""
        : result["precision"] == "bf16"            ? " of floats"
                                        : ", counting the multiplications that Winograd's "
                                          "convolutions save");
  fmt::print("{}\n", result.dump());
  std::fflush(stdout);
}

}  // namespace

std::vector<std::string> workload_names() {
  std::vector<std::string> names;
  for (const Workload& workload : workloads()) names.emplace_back(workload.name);
  return names;
}

void bench(const std::string& wanted, const BenchOptions& options) {
  set_threads(options.threads);
  for (const Workload& workload : workloads())
    if (wanted == "all" || wanted == workload.name)
      print(measure(workload, options), options.json_only);
}

}  // namespace goneuron::cli
