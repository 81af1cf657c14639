#include "plan/worker_pool.h"

#include <pthread.h>

#include "plan/flush_denormals.h"

namespace goneuron {

namespace {
inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

void run_items(const std::vector<Item>& items, void* scratch) noexcept {
  for (const Item& item : items) item.kernel(item.args, item.begin, item.end, scratch);
}

/// Best effort: a worker that stays on its core keeps its caches.
void pin(std::thread& thread, int core) {
  if (core >= static_cast<int>(std::thread::hardware_concurrency())) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  pthread_setaffinity_np(thread.native_handle(), sizeof set, &set);
}

constexpr int spins_before_yield = 2000;
constexpr int spins_before_sleep =
    20000;  // a fraction of a millisecond: longer than the gap between two steps

std::uint64_t next_id() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}
}  // namespace

WorkerPool::WorkerPool(int workers)
    : workers_(workers), id_(next_id()), scratch_(static_cast<size_t>(workers)) {
  threads_.reserve(static_cast<size_t>(workers - 1));
  for (int w = 1; w < workers; ++w) {
    threads_.emplace_back([this, w] { work(w); });
    pin(threads_.back(), w);
  }
}

WorkerPool::~WorkerPool() {
  stop_ = true;
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void WorkerPool::reserve_scratch(i64 bytes) {
  for (Arena& arena : scratch_)
    if (arena.bytes() < bytes) arena = Arena(bytes, "the scratch memory of the kernels");
}

Item WorkerPool::barrier() { return {&WorkerPool::wait, this, 0, 0}; }

void WorkerPool::wait(const void* pool, i64, i64, void*) noexcept {
  // The counter only grows: a multiple of `workers` for each barrier passed. The pool outlives the
  // program.
  auto& self = *static_cast<WorkerPool*>(const_cast<void*>(pool));
  const auto count = static_cast<std::uint64_t>(self.workers_);
  const std::uint64_t mine = self.arrived_.fetch_add(1, std::memory_order_acq_rel);
  const std::uint64_t target = (mine / count + 1) * count;
  for (int spins = 0; self.arrived_.load(std::memory_order_acquire) < target; ++spins) {
    if (spins < spins_before_yield)
      pause();
    else
      std::this_thread::yield();  // more workers than cores
  }
}

void WorkerPool::run(const Program& program) noexcept {
  const FlushDenormals flush;
  program_ = &program;
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  run_items(program.workers[0], scratch_[0].data());
  wait(this, 0, 0, nullptr);
}

void WorkerPool::run_alone(const Program& program, void* scratch) noexcept {
  const FlushDenormals flush;
  run_items(program.workers[0], scratch);
}

void WorkerPool::work(int worker) noexcept {
  const FlushDenormals flush;
  std::uint32_t seen = 0;
  for (;;) {
    for (int spins = 0; generation_.load(std::memory_order_acquire) == seen; ++spins) {
      if (spins < spins_before_sleep)
        pause();
      else
        generation_.wait(seen, std::memory_order_acquire);
    }
    // A generation is never skipped: run() returns only after every worker has arrived.
    ++seen;
    if (stop_) return;
    run_items(program_->workers[static_cast<size_t>(worker)],
              scratch_[static_cast<size_t>(worker)].data());
    wait(this, 0, 0, nullptr);
  }
}

}  // namespace goneuron
