// Schedule: the rate of a step, and the factories' checks.
#include "goneuron/schedule.h"

#include <cmath>
#include <numbers>

#include "core/message.h"
#include "graph/layer_impl.h"

namespace goneuron {

namespace {

void check_rate(const char* factory, const char* what, double rate, bool zero, Site site) {
  require((zero ? rate >= 0 : rate > 0) && std::isfinite(rate), factory, site,
          std::string(what) + " of " + number_text(rate) + "; expected a number " +
              (zero ? "of at least 0" : "above 0"),
          zero ? "0 is no change of the weights at all"
               : "0.001 is a usual start for Adam, 0.01 for SGD");
}

void check_steps(const char* factory, const char* what, double steps, Site site) {
  require(steps >= 1, factory, site,
          std::string(what) + " of " + number_text(steps) + "; expected 1 or more",
          "steps are updates of the weights: epochs times the batches of one");
}

void check_gamma(const char* factory, double gamma, Site site) {
  require(gamma > 0 && gamma <= 1, factory, site,
          "a gamma of " + number_text(gamma) + "; expected above 0 and at most 1",
          "it is the factor by which the rate falls: 0.1 is usual for steps, 0.99 for each step");
}

void check_warmup(const char* factory, const std::vector<double>& n, Site site) {
  check_rate(factory, "a start", n[3], true, site);
  check_rate(factory, "an end", n[4], true, site);
  check_steps(factory, "a total_steps", n[2], site);
  require(n[1] >= 0 && n[1] < n[2], factory, site,
          "a warm-up of " + number_text(n[1]) + " steps out of " + number_text(n[2]) +
              "; expected at least 0 and fewer than all",
          "steps are updates of the weights: 1 to 10 % of all are usual for a warm-up");
}

void check(Schedule::Kind kind, const std::vector<double>& n, Site site) {
  using Kind = Schedule::Kind;
  const auto first = [&](const char* factory) {
    check_rate(factory, "a learning rate", n[0], false, site);
    return factory;
  };
  switch (kind) {
    case Kind::step_decay:
      check_steps(first("StepDecay"), "a step_size", n[1], site);
      return check_gamma("StepDecay", n[2], site);
    case Kind::exponential_decay:
      check_gamma(first("ExponentialDecay"), n[1], site);
      return check_steps("ExponentialDecay", "a decay_steps", n[2], site);
    case Kind::cosine_decay:
      check_steps(first("CosineDecay"), "a total_steps", n[1], site);
      return check_rate("CosineDecay", "an end", n[2], true, site);
    case Kind::warmup_linear:
      return check_warmup(first("WarmupLinear"), n, site);
    case Kind::warmup_cosine:
      return check_warmup(first("WarmupCosine"), n, site);
    case Kind::constant:
    case Kind::function:
      return;
  }
}

size_t count_of(Schedule::Kind kind) {
  constexpr size_t counts[] = {1, 3, 4, 3, 5, 5, 0};
  return counts[static_cast<size_t>(kind)];
}

double between(double from, double to, double part) { return from + (to - from) * part; }
/// 0 at part 0, 1 at part 1, along half a cosine.
double half_cosine(double part) { return (1 - std::cos(std::numbers::pi * part)) / 2; }

}  // namespace

Schedule::Schedule(double learning_rate) : numbers_{learning_rate} {}

Schedule::Schedule(Callable<double(i64)> function, Site site)
    : kind_(Kind::function), function_(std::move(function)), site_(site) {
  require(function_ != nullptr, "Schedule", site, "the function is empty; expected a callable one",
          "pass a lambda: Schedule([](i64 step) { return 0.1 / (1 + step); })");
}

Schedule::Schedule(Kind kind, std::vector<double> numbers, Site site)
    : kind_(kind), numbers_(std::move(numbers)), site_(site) {
  require(numbers_.size() == count_of(kind), "Schedule", site,
          std::to_string(numbers_.size()) + " numbers; expected " + std::to_string(count_of(kind)),
          "make schedules with CosineDecay() and the like");
  check(kind, numbers_, site);
}

double Schedule::operator()(i64 step) const {
  const auto& n = numbers_;
  const auto t = static_cast<double>(step);
  switch (kind_) {
    case Kind::constant:
      return n[0];
    case Kind::step_decay:
      return n[0] * std::pow(n[2], std::floor(t / n[1]));
    case Kind::exponential_decay:
      return n[0] * std::pow(n[1], n[3] != 0 ? std::floor(t / n[2]) : t / n[2]);
    case Kind::cosine_decay:
      return between(n[0], n[2], half_cosine(std::min(t / n[1], 1.0)));
    case Kind::warmup_linear:
    case Kind::warmup_cosine: {
      if (t < n[1]) return between(n[3], n[0], t / n[1]);
      const double part = std::min((t - n[1]) / (n[2] - n[1]), 1.0);
      return between(n[0], n[4], kind_ == Kind::warmup_linear ? part : half_cosine(part));
    }
    case Kind::function:
      break;
  }
  require(function_ != nullptr, "Schedule", site_,
          "the learning rate was a function of the step, which a model file cannot hold; expected "
          "a schedule before training goes on",
          "call set_schedule() with the function, or with a number, on the loaded model");
  const double rate = function_(step);
  require(rate >= 0 && std::isfinite(rate), "Schedule", site_,
          "its function gives " + number_text(rate) + " for step " + std::to_string(step) +
              "; expected a finite number of at least 0",
          "steps count the updates of the weights, from 0");
  return rate;
}

Schedule StepDecay(double learning_rate, i64 step_size, double gamma, Site site) {
  return {Schedule::Kind::step_decay, {learning_rate, static_cast<double>(step_size), gamma}, site};
}

Schedule ExponentialDecay(double learning_rate, double gamma,
                          const ExponentialDecayOptions& options, Site site) {
  return {Schedule::Kind::exponential_decay,
          {learning_rate, gamma, static_cast<double>(options.decay_steps),
           options.staircase ? 1.0 : 0.0},
          site};
}

Schedule CosineDecay(double learning_rate, i64 total_steps, const CosineDecayOptions& options,
                     Site site) {
  return {Schedule::Kind::cosine_decay,
          {learning_rate, static_cast<double>(total_steps), options.end},
          site};
}

namespace {
Schedule warmup(Schedule::Kind kind, double rate, i64 first, i64 total,
                const WarmupOptions& options, Site site) {
  return {
      kind,
      {rate, static_cast<double>(first), static_cast<double>(total), options.start, options.end},
      site};
}
}  // namespace

Schedule WarmupLinear(double learning_rate, i64 warmup_steps, i64 total_steps,
                      const WarmupOptions& options, Site site) {
  return warmup(Schedule::Kind::warmup_linear, learning_rate, warmup_steps, total_steps, options,
                site);
}

Schedule WarmupCosine(double learning_rate, i64 warmup_steps, i64 total_steps,
                      const WarmupOptions& options, Site site) {
  return warmup(Schedule::Kind::warmup_cosine, learning_rate, warmup_steps, total_steps, options,
                site);
}

}  // namespace goneuron
