#include "data/prefetch.h"

#include <utility>

namespace goneuron {

Prefetcher::Prefetcher(std::function<void(i64 step, int half)> fill)
    : fill_(std::move(fill)), thread_([this] { run(); }) {}

Prefetcher::~Prefetcher() {
  {
    const std::lock_guard lock(mutex_);
    quit_ = true;
  }
  work_.notify_one();
  thread_.join();
}

void Prefetcher::pause() {
  std::unique_lock lock(mutex_);
  steps_ = 0;
  ready_.wait(lock, [this] { return !busy_; });
}

void Prefetcher::start(i64 first, i64 steps) {
  {
    const std::lock_guard lock(mutex_);
    steps_ = steps;
    filled_ = taken_ = first;
    error_ = nullptr;
  }
  work_.notify_one();
}

int Prefetcher::wait() {
  std::unique_lock lock(mutex_);
  ready_.wait(lock, [this] { return filled_ > taken_ || error_ != nullptr; });
  // Batches filled before the failure still count.
  if (filled_ == taken_) std::rethrow_exception(error_);
  return static_cast<int>(taken_ % 2);
}

void Prefetcher::release() {
  {
    const std::lock_guard lock(mutex_);
    ++taken_;
  }
  work_.notify_one();
}

void Prefetcher::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    work_.wait(lock, [this] {
      return quit_ || (filled_ < steps_ && filled_ - taken_ < 2 && error_ == nullptr);
    });
    if (quit_) return;
    const i64 step = filled_;
    busy_ = true;
    lock.unlock();
    std::exception_ptr error;
    try {
      fill_(step, static_cast<int>(step % 2));
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    busy_ = false;
    if (error == nullptr) ++filled_;
    error_ = std::move(error);
    ready_.notify_all();
  }
}

}  // namespace goneuron
