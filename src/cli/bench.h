// What the bench times: a step that is ready to run, without what fit() or predict() add around it.
// bench_step.cpp makes it from a model; bench.cpp runs it.
#pragma once

#include <functional>

#include "goneuron/model.h"

namespace goneuron::cli {

/// Runs that many steps, one after the other, on the same batch. Holds the model.
using StepLoop = std::function<void(i64 steps)>;

/// Forward, loss, backward and optimizer on the batch {x, y}.
StepLoop training_steps(Model model, const Tensor& x, const Tensor& y);
/// A prediction of {x}, its output left in memory.
StepLoop inference_steps(Model model, const Tensor& x);

/// A table of the plan's steps: the time of each on one thread, and its arithmetic rate.
std::string profile(Model model, const Tensor& x, const Tensor& y);

}  // namespace goneuron::cli
