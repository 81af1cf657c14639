#include <fmt/format.h>

#include "cli/bench.h"
#include "train/model_impl.h"
#include "train/step_profile.h"

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
  StepProfile profile(0, most);
  while (profile.timed() < most &&
         profile.seconds() * static_cast<double>(profile.timed()) < enough &&
         profile.wants(**lease)) {
    begin_step(*model.impl(), (*lease)->scalars());
    profile.run(**lease);
  }
  std::string text = fmt::format("{:<28} {:<10} {:>10} {:>10}   of {}\n", "one thread", "cut", "us",
                                 "GFLOP/s", "layer");
  for (const StepProfile::Row& row : profile.steps())
    if (row.seconds > 0)
      text += fmt::format("{:<28} {} {:>7.2f} {:>10.1f}   {}\n", row.name, row.cut,
                          row.seconds * 1e6, row.flops / row.seconds * 1e-9, row.layer);
  return text;
}

}  // namespace goneuron::cli
