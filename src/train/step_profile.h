// StepProfile: how long each step of a training plan takes, timed on real batches, one thread. What
// is computed is the same, bit for bit. Used by the callbacks that show it and by `goneuron bench`.
#pragma once

#include <string>
#include <vector>

#include "plan/executor.h"

namespace goneuron {

class StepProfile {
 public:
  /// Of the training steps that come, `first` are left out and `steps` timed.
  StepProfile(i64 first, i64 steps) : left_out_(first), wanted_(steps) {}

  /// True where the executor's step is to be timed: one of the plan that was met first.
  bool wants(const Executor& executor);
  void run(Executor& executor) noexcept;
  bool done() const { return timed_ >= wanted_; }
  i64 timed() const { return timed_; }

  /// One step of the plan, or all of a layer.
  struct Row {
    std::string name, cut, layer;  // "conv2d", "16 rows", `Conv2D "conv2d" (train.cpp:9)`
    double seconds = 0;            // of one training step
    double flops = 0;
    double bytes = 0;  // read and written, each tensor once a step of the plan
  };
  /// In the order in which they run; aliases and steps without a kernel are left out.
  const std::vector<Row>& steps() const { return steps_; }
  /// The same by layer; what belongs to none by its op.
  std::vector<Row> layers() const;
  double seconds() const;
  /// "layer   us   share   GFLOP/s   GB/s   MB"
  std::string layer_table() const;

 private:
  void describe_plan(const Executor& executor);
  i64 left_out_, wanted_, timed_ = 0;
  std::shared_ptr<const Plan> plan_;  // held, as another one might get its address
  std::vector<double> spent_;         // seconds, by the plan's steps
  std::vector<size_t> place_;         // of the plan's steps in steps_
  std::vector<Row> steps_;
  std::vector<std::string> owners_;  // of steps_
};

}  // namespace goneuron
