// WorkerPool: threads made once that run a program together: each its own list of calls, with spin
// barriers. Used by Executor; between programs the workers spin for a moment, then sleep.
#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include "core/arena.h"
#include "plan/backend.h"

namespace goneuron {

/// One call of one worker: tiles [begin, end) of a step, or a barrier.
struct Item {
  Kernel kernel;
  const void* args;
  i64 begin, end;
};
/// A list of items for each worker.
struct Program {
  std::vector<std::vector<Item>> workers;
};

class WorkerPool {
 public:
  /// `workers` counts the calling thread.
  explicit WorkerPool(int workers);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  int workers() const { return workers_; }
  /// Of this pool alone, also when a later one gets the same address.
  std::uint64_t id() const { return id_; }
  /// Private memory for every worker, at least `bytes`; not while a program runs.
  void reserve_scratch(i64 bytes);
  /// Runs `program`, which must be for workers() workers; returns when all are done.
  void run(const Program& program) noexcept;
  /// The item that makes workers wait for each other.
  Item barrier();

  /// Runs a program of one worker on the calling thread.
  static void run_alone(const Program& program, void* scratch) noexcept;

 private:
  void work(int worker) noexcept;
  static void wait(const void* pool, i64, i64, void*) noexcept;

  int workers_;
  std::uint64_t id_;
  alignas(64) std::atomic<std::uint32_t> generation_{0};
  alignas(64) std::atomic<std::uint64_t> arrived_{0};
  const Program* program_ = nullptr;
  bool stop_ = false;
  std::vector<Arena> scratch_;
  std::vector<std::thread> threads_;
};

}  // namespace goneuron
