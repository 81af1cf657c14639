// Executor: a Plan bound to memory, ready to run again and again without allocating.
// Owns the activation and io arenas; variables and gradients belong to the model.
#pragma once

#include <memory>

#include "core/arena.h"
#include "plan/plan.h"
#include "plan/worker_pool.h"

namespace goneuron {

class Executor {
 public:
  /// Variables must have their memory. `gradients` has plan.gradient_bytes, or is empty when there
  /// are none. `tables` are those that the graph's constants name.
  Executor(std::shared_ptr<const Plan> plan, const Arena& gradients,
           std::vector<Tensor> tables = {});

  const Plan& plan() const { return *plan_; }
  const std::shared_ptr<const Plan>& shared_plan() const { return plan_; }
  /// The memory of input i, to be filled before run(): as its type says, [rows, ...], and in
  /// plan().bands[i] bands.
  void* input(int i) { return at(plan_->graph.inputs[static_cast<size_t>(i)]); }
  /// Fills input i with `value`, of its type; and what input i holds, as its type says.
  void set_input(int i, const Tensor& value);
  Tensor input_value(int i) const;
  const void* output(int i) const { return at(plan_->graph.outputs[static_cast<size_t>(i)]); }
  StepScalars& scalars() { return *scalars_; }

  /// One pass over the steps: on `pool` when there is enough to share, else on this thread.
  void run(WorkerPool& pool) noexcept;
  /// On this thread alone, for predictions from several threads.
  void run_alone() noexcept;
  /// run_alone(), with the seconds of each step of the plan added to `seconds`.
  void run_timed(std::vector<double>& seconds) noexcept;
  /// Whether step s of the plan is a call of its own.
  bool calls(size_t s) const { return calls_[s].kernel != nullptr; }
  /// Bytes held by this executor.
  i64 bytes() const { return activations_.bytes() + io_.bytes() + scratch_.bytes(); }

 private:
  /// Calls copy(banded, plain, bytes) for each piece of input i, with offsets in bytes.
  template <class Copy>
  void each_piece(int i, const Copy& copy) const;
  void* at(ValueId id) const { return addresses_[static_cast<size_t>(plan_->graph.root(id))]; }
  void bind();
  void lower();
  BoundNode bound(const PlannedStep& step) const;
  bool makes(const Node& node, ValueId wanted) const;
  Program divide(int workers, const Item& barrier) const;

  std::shared_ptr<const Plan> plan_;
  Arena activations_, io_, scratch_, gradients_;
  std::vector<Tensor> tables_;
  std::vector<void*> addresses_;  // by value
  std::unique_ptr<StepScalars> scalars_;
  std::vector<Call> calls_;  // by step
  Program alone_, shared_;
  std::uint64_t shared_with_ = 0;  // the pool's id
  bool small_ = false;
};

}  // namespace goneuron
