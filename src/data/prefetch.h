// Prefetcher: one thread that fills the half of a double buffer which the step is not reading.
// Used by the loader where reading or mapping takes time.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

#include "goneuron/shape.h"

namespace goneuron {

class Prefetcher {
 public:
  /// `fill(step, half)` runs on the thread; what it throws comes out of wait().
  explicit Prefetcher(std::function<void(i64 step, int half)> fill);
  ~Prefetcher();
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  /// Returns once the thread is idle; batches filled ahead are dropped.
  void pause();
  /// Begins with step `first` of `steps`, after pause().
  void start(i64 first, i64 steps);
  /// The half that holds the next step's batch, once it is filled.
  int wait();
  /// That half may be filled again.
  void release();

 private:
  void run();

  std::function<void(i64, int)> fill_;
  std::mutex mutex_;
  std::condition_variable work_, ready_;
  i64 steps_ = 0, filled_ = 0, taken_ = 0;
  bool busy_ = false, quit_ = false;
  std::exception_ptr error_;
  std::thread thread_;  // last: it starts when all else is there
};

}  // namespace goneuron
