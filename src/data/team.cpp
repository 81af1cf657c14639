#include "data/team.h"

#include <utility>

namespace goneuron {

Team::Team(int threads) {
  for (int t = 1; t < threads; ++t)
    threads_.emplace_back([this, t] {
      std::unique_lock lock(mutex_);
      for (;;) {
        work_.wait(lock, [this] { return quit_ || next_ < pieces_; });
        if (quit_) return;
        take_part(lock, t);
      }
    });
}

Team::~Team() {
  {
    const std::lock_guard lock(mutex_);
    quit_ = true;
  }
  work_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Team::run_all(i64 pieces, Job job) {
  if (threads_.empty() || pieces == 1) {
    for (i64 piece = 0; piece < pieces; ++piece) job.call(job.work, piece, 0);
    return;
  }
  std::unique_lock lock(mutex_);
  job_ = job;
  next_ = 0;
  failed_ = pieces_ = pieces;
  work_.notify_all();
  take_part(lock, 0);
  done_.wait(lock, [this] { return busy_ == 0; });
  pieces_ = 0;
  if (error_ != nullptr) std::rethrow_exception(std::exchange(error_, nullptr));
}

void Team::take_part(std::unique_lock<std::mutex>& lock, int thread) {
  ++busy_;
  while (next_ < pieces_) {
    const i64 piece = next_++;
    if (piece > failed_) continue;
    lock.unlock();
    std::exception_ptr error;
    try {
      job_.call(job_.work, piece, thread);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    if (error != nullptr && piece < failed_) {
      failed_ = piece;
      error_ = std::move(error);
    }
  }
  if (--busy_ == 0) done_.notify_all();
}

}  // namespace goneuron
