#include "cli/peak.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

// Highway compiles this file once for each instruction set and picks one at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cli/peak.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace goneuron::cli {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Twelve independent chains: enough to hide a latency of four on two or three units, and they fit
/// 16 registers. Returns the floating-point operations done; `sink` keeps the compiler from
/// dropping them.
double fma_rounds(std::int64_t rounds, float* sink) {
  const hn::ScalableTag<float> d;
  const auto x = hn::Set(d, 0.999F), y = hn::Set(d, 0.001F);
  auto a = hn::Set(d, 0.1F), b = hn::Set(d, 0.2F), c = hn::Set(d, 0.3F), e = hn::Set(d, 0.4F);
  auto f = hn::Set(d, 0.5F), g = hn::Set(d, 0.6F), h = hn::Set(d, 0.7F), i = hn::Set(d, 0.8F);
  auto j = hn::Set(d, 0.9F), k = hn::Set(d, 1.1F), l = hn::Set(d, 1.2F), m = hn::Set(d, 1.3F);
  for (std::int64_t r = 0; r < rounds; ++r) {
    a = hn::MulAdd(a, x, y), b = hn::MulAdd(b, x, y), c = hn::MulAdd(c, x, y),
    e = hn::MulAdd(e, x, y);
    f = hn::MulAdd(f, x, y), g = hn::MulAdd(g, x, y), h = hn::MulAdd(h, x, y),
    i = hn::MulAdd(i, x, y);
    j = hn::MulAdd(j, x, y), k = hn::MulAdd(k, x, y), l = hn::MulAdd(l, x, y),
    m = hn::MulAdd(m, x, y);
  }
  const auto first =
      hn::Add(hn::Add(hn::Add(a, b), hn::Add(c, e)), hn::Add(hn::Add(f, g), hn::Add(h, i)));
  *sink = hn::GetLane(hn::SumOfLanes(d, hn::Add(first, hn::Add(hn::Add(j, k), hn::Add(l, m)))));
  return 12.0 * 2.0 * static_cast<double>(hn::Lanes(d)) * static_cast<double>(rounds);
}

}  // namespace HWY_NAMESPACE
}  // namespace goneuron::cli
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace goneuron::cli {
HWY_EXPORT(fma_rounds);

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// GFLOP/s of all threads together, each timed by itself from a common start.
double one_run(int threads, std::int64_t rounds) {
  std::atomic<int> ready{0};
  std::vector<double> rates(static_cast<size_t>(threads));
  std::vector<float> sinks(static_cast<size_t>(threads));
  std::vector<std::thread> workers;
  workers.reserve(static_cast<size_t>(threads));
  for (size_t t = 0; t < rates.size(); ++t)
    workers.emplace_back([&, t] {
      ready.fetch_add(1);
      while (ready.load() < threads) std::this_thread::yield();
      const auto start = Clock::now();
      const double operations = HWY_DYNAMIC_DISPATCH(fma_rounds)(rounds, &sinks[t]);
      rates[t] = operations / seconds_since(start) * 1e-9;
    });
  for (auto& worker : workers) worker.join();
  double sum = 0;
  for (const double rate : rates) sum += rate;
  return sum;
}

}  // namespace

double measured_peak_gflops(int threads) {
  double best = 0;
  for (int run = 0; run < 10; ++run) best = std::max(best, one_run(threads, 4'000'000));
  return best;
}

}  // namespace goneuron::cli
#endif
