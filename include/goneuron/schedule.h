// Schedule: the learning rate as a function of the step, a value that optimizers take in the place
// of a number: Adam(CosineDecay(0.001, 10000)). Steps are updates of the weights, counted from 0.
#pragma once

#include <vector>

#include "goneuron/callable.h"
#include "goneuron/shape.h"
#include "goneuron/site.h"

namespace goneuron {

class Schedule {
 public:
  enum class Kind {
    constant,
    step_decay,
    exponential_decay,
    cosine_decay,
    warmup_linear,
    warmup_cosine,
    function
  };

  Schedule(double learning_rate = 0.01);  // NOLINT: converts on purpose; the same for all steps
  /// Any function of the step. A model file cannot hold it: after load(), training asks for
  /// set_schedule().
  explicit Schedule(Callable<double(i64)> function, Site site = Site::here());
  /// For the factories below and for files: `numbers` are theirs, in the order of their parameters.
  Schedule(Kind kind, std::vector<double> numbers, Site site);

  /// The rate of step `step`. Throws GraphError when a function gives no finite number >= 0.
  double operator()(i64 step) const;
  Kind kind() const { return kind_; }
  bool constant() const { return kind_ == Kind::constant; }
  /// False for a function that a file could not hold.
  bool known() const { return kind_ != Kind::function || function_ != nullptr; }
  const std::vector<double>& numbers() const { return numbers_; }
  const Site& site() const { return site_; }

 private:
  Kind kind_ = Kind::constant;
  std::vector<double> numbers_;
  Callable<double(i64)> function_;
  Site site_;
};

/// rate gamma^floor(step / step_size), as PyTorch's StepLR. Throws GraphError when a rate is <= 0,
/// step_size < 1 or gamma is not in (0, 1].
Schedule StepDecay(double learning_rate, i64 step_size, double gamma = 0.1,
                   Site site = Site::here());

struct ExponentialDecayOptions {
  i64 decay_steps = 1;     ///< steps until the rate is gamma times as large
  bool staircase = false;  ///< falls every decay_steps steps, all at once
};
/// rate gamma^(step / decay_steps): PyTorch's ExponentialLR, with the options of Keras'
/// ExponentialDecay.
Schedule ExponentialDecay(double learning_rate, double gamma,
                          const ExponentialDecayOptions& options = {}, Site site = Site::here());

struct CosineDecayOptions {
  double end = 0;  ///< the rate at total_steps and after
};
/// Half a cosine from the rate to `end`, which stays: PyTorch's CosineAnnealingLR up to total_steps
/// (Loshchilov & Hutter 2017, without restarts).
Schedule CosineDecay(double learning_rate, i64 total_steps, const CosineDecayOptions& options = {},
                     Site site = Site::here());

struct WarmupOptions {
  double start = 0;  ///< the rate of step 0
  double end = 0;    ///< the rate at total_steps and after
};
/// In a line from `start` to the rate, which step `warmup_steps` has, then in a line to `end` at
/// `total_steps`. Throws GraphError when warmup_steps is not in [0, total_steps).
Schedule WarmupLinear(double learning_rate, i64 warmup_steps, i64 total_steps,
                      const WarmupOptions& options = {}, Site site = Site::here());
/// The same, but half a cosine after the warm-up.
Schedule WarmupCosine(double learning_rate, i64 warmup_steps, i64 total_steps,
                      const WarmupOptions& options = {}, Site site = Site::here());

}  // namespace goneuron
