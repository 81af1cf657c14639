#include <fmt/format.h>

#include <numeric>

#include "cli/bench.h"
#include "train/model_impl.h"

namespace goneuron::cli {

namespace {

/// The plan and memory that fit() uses, with the batch in place.
std::shared_ptr<ExecutorLease> lease_of(Model& model, const Tensor& x, const Tensor& y) {
  model.train_on_batch(x, y);  // fills the batch; throws if it is bad
  return std::make_shared<ExecutorLease>(*model.impl(), Mode::train, x.shape()[0],
                                         target_type(y.shape().without_batch(), y.dtype()));
}

}  // namespace

StepLoop training_steps(Model model, const Tensor& x, const Tensor& y) {
  const auto lease = lease_of(model, x, y);
  return [model, lease](i64 steps) {
    ModelImpl& impl = *model.impl();
    for (i64 i = 0; i < steps; ++i, ++impl.step) {
      begin_step(impl, (*lease)->scalars());
      (*lease)->run(worker_pool());
    }
  };
}

StepLoop inference_steps(Model model, const Tensor& x) {
  return [model, x](i64 steps) {
    for (i64 i = 0; i < steps; ++i) model.predict(x);
  };
}

std::string profile(Model model, const Tensor& x, const Tensor& y) {
  constexpr double enough = 3;  // seconds
  constexpr int most = 200;
  const auto lease = lease_of(model, x, y);
  const Plan& plan = (*lease)->plan();
  std::vector<double> seconds(plan.steps.size());
  int steps = 0;
  for (double total = 0; steps < most && total < enough; ++steps) {
    begin_step(*model.impl(), (*lease)->scalars());
    (*lease)->run_timed(seconds);
    total = std::accumulate(seconds.begin(), seconds.end(), 0.0);
  }
  std::string text = fmt::format("{:<28} {:<10} {:>10} {:>10}   of {}\n", "one thread", "cut", "us",
                                 "GFLOP/s", "layer");
  for (size_t s = 0; s < seconds.size(); ++s) {
    const Node& node = plan.graph.nodes[static_cast<size_t>(plan.steps[s].node)];
    const double us = seconds[s] / steps * 1e6, flops = plan.steps[s].flops;
    if (us > 0)
      text += fmt::format("{:<28} {:>2} {:<10} {:>7.2f} {:>10.1f}   {}\n", node.op->name,
                          plan.steps[s].scheme.tiles, plan.steps[s].scheme.name, us,
                          flops / us * 1e-3, describe(node));
  }
  return text;
}

}  // namespace goneuron::cli
