// Runs an example's main() six times, on 1, 2 and 3 threads in f32 and in bf16: what it trains must
// end with the same bits on any number of threads, and after the first epoch nothing may be
// allocated. Linked with the objects of one example, whose main() and fit() the linker puts behind
// the ones here (ld --wrap): fit() trains as asked, but for three epochs on the first samples.
// usage: NAME_repeats [--reports] [the example's arguments]
// --reports: its callbacks leave files, so that only steps and validations are held to allocate
// nothing, and the first epoch is long enough for what is timed once
#include <cstdio>
#include <cstring>

#include "cli/malloc_count.h"
#include "data/dataset.h"
#include "goneuron/goneuron.h"
#include "train/model_impl.h"

namespace goneuron {
namespace {

using cli::allocation_calls;
constexpr i64 epochs = 3;

bool reports = false;
struct Setting {
  int threads = 1;
  Arithmetic precision = F32;
} now;

/// What a call of fit() came to.
struct Outcome {
  std::vector<Tensor> values;  // weights and state
  std::vector<double> logs;    // of the last epoch
  // Calls of malloc: to the end of the first epoch; in all of the later ones; in their steps and
  // validations.
  i64 first = 0, later = 0, inside = 0;
};
std::vector<Outcome> outcomes;  // of this run of main()

/// Counts around the example's own callbacks: their hooks run between those of this and `After`.
struct Before : CallbackBase {
  explicit Before(Outcome& to) : to(to) {}
  void on_epoch_end(TrainingState& state) override {
    if (state.epoch > 0) to.inside += allocation_calls();
  }
  Outcome& to;
};
struct After : CallbackBase {
  explicit After(Outcome& to) : to(to) {}
  void on_epoch_begin(TrainingState& state) override {
    if (state.epoch > 0) to.inside -= allocation_calls();
  }
  void on_epoch_end(TrainingState& state) override {
    if (state.epoch == 0) to.first += allocation_calls(), to.later -= allocation_calls();
    if (state.epoch + 1 == epochs) to.later += allocation_calls();
  }
  Outcome& to;
};

/// A few batches and a part of one, or as much as there is.
Dataset begin_of(const Dataset& data, i64 batch) {
  const i64 whole = reports ? 25 : 2;
  return data ? data.take(std::min(whole * batch + (batch + 3) / 4, data.size())) : data;
}

using FitData = History(Model&, const Dataset&, const FitOptions&, Site);
using FitArrays = History(Model&, const Tensor&, const Tensor&, const FitOptions&, Site);
using FitPlain = History(Model&, const Tensor&, const Tensor&, i64, i64, const Callback&, Site);
}  // namespace

// Member functions take their object as a first argument.
FitData real_fit __asm__("__real__ZN8goneuron5Model3fitERKNS_7DatasetERKNS_10FitOptionsENS_4SiteE");
FitData fit_data __asm__("__wrap__ZN8goneuron5Model3fitERKNS_7DatasetERKNS_10FitOptionsENS_4SiteE");
FitArrays fit_arrays __asm__(
    "__wrap__ZN8goneuron5Model3fitERKNS_6TensorES3_RKNS_10FitOptionsENS_4SiteE");
FitPlain fit_plain __asm__(
    "__wrap__ZN8goneuron5Model3fitERKNS_6TensorES3_llRKNS_6SharedINS_12CallbackBaseEEENS_"
    "4SiteE");

History fit_data(Model& model, const Dataset& data, const FitOptions& options, Site site) {
  set_threads(now.threads);
  model.impl()->precision = now.precision;
  model.impl()->forget_plans();
  Outcome outcome;
  FitOptions short_run = options;
  short_run.epochs = epochs;
  const i64 own = data.impl()->batch_size;
  const i64 batch = options.batch_size != Any ? options.batch_size : own > 0 ? own : 32;
  short_run.validation = begin_of(options.validation, batch);
  auto& callbacks = short_run.callbacks;
  callbacks.insert(callbacks.begin(), std::make_shared<Before>(outcome));
  callbacks.push_back(std::make_shared<After>(outcome));
  outcome.first -= allocation_calls();
  History history = real_fit(model, begin_of(data, batch), short_run, site);
  for (const Weight& weight : model.weights()) outcome.values.push_back(weight.value.clone());
  outcome.logs = history.epochs.at(epochs - 1).values;
  outcomes.push_back(std::move(outcome));
  return history;
}
History fit_arrays(Model& model, const Tensor& x, const Tensor& y, const FitOptions& options,
                   Site site) {
  return fit_data(model, Dataset(x, y, site), options, site);
}
History fit_plain(Model& model, const Tensor& x, const Tensor& y, i64 count, i64 batch_size,
                  const Callback& callback, Site site) {
  FitOptions options{.epochs = count, .batch_size = batch_size};
  if (callback) options.callbacks = {callback};
  return fit_arrays(model, x, y, options, site);
}

namespace {

int failures = 0;
void expect(bool good, size_t fit, const char* what) {
  if (good) return;
  ++failures;
  std::fprintf(stderr, "FAILED: fit() number %zu on %d threads in %s: %s\n", fit + 1, now.threads,
               now.precision == BF16 ? "bf16" : "f32", what);
}

bool same_bits(const Outcome& a, const Outcome& b) {
  if (a.values.size() != b.values.size() || a.logs != b.logs) return false;
  for (size_t i = 0; i < a.values.size(); ++i)
    if (std::memcmp(a.values[i].raw(), b.values[i].raw(),
                    static_cast<size_t>(a.values[i].bytes())) != 0)
      return false;
  return true;
}

void check_allocations() {
  for (size_t i = 0; i < outcomes.size(); ++i) {
    const Outcome& one = outcomes[i];
    std::printf(
        "fit() %zu, %d threads, %s: malloc %lld times in epoch 1, %lld later, %lld in steps\n",
        i + 1, now.threads, now.precision == BF16 ? "bf16" : "f32",
        static_cast<long long>(one.first), static_cast<long long>(one.later),
        static_cast<long long>(one.inside));
    expect(one.first > 0, i,
           "nothing was allocated before the first epoch ended: calls are not counted");
    expect(one.inside == 0, i, "a step or a validation allocates after the first epoch");
    expect(reports || one.later == 0, i, "something is allocated after the first epoch");
  }
}

}  // namespace
}  // namespace goneuron

extern "C" {
int __real_main(int argc, char** argv);  // NOLINT: the linker's name
int __wrap_main(int argc, char** argv);  // NOLINT: the linker's name
}

int __wrap_main(int argc, char** argv) {
  using namespace goneuron;
  reports = argc > 1 && std::strcmp(argv[1], "--reports") == 0;
  if (reports) argv[1] = argv[0], ++argv, --argc;
  std::vector<Outcome> in_f32;
  for (const Arithmetic precision : {F32, BF16}) {
    std::vector<Outcome> on_one;
    for (const int count : {1, 2, 3}) {
      now = {count, precision};
      outcomes.clear();
      __real_main(argc, argv);  // whether its forecasts are good is not asked after so few steps
      expect(!outcomes.empty(), 0, "the program has not come to the end of any");
      check_allocations();
      if (count == 1) on_one = outcomes;
      expect(outcomes.size() == on_one.size(), outcomes.size(), "another number of calls");
      for (size_t i = 0; i < std::min(outcomes.size(), on_one.size()); ++i)
        expect(same_bits(outcomes[i], on_one[i]), i, "other bits than on one thread");
    }
    if (precision == F32) in_f32 = on_one;
    for (size_t i = 0; precision == BF16 && i < std::min(on_one.size(), in_f32.size()); ++i)
      expect(!same_bits(on_one[i], in_f32[i]), i, "the bits of f32: nothing was rounded");
  }
  if (failures == 0) std::puts("same bits, no allocation");
  return failures == 0 ? 0 : 1;
}
