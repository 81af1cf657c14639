// Team: a few threads that share the pieces of one job, such as the rows of a batch.
// Used by the loader where samples are read, decoded or mapped.
#pragma once

#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "goneuron/shape.h"

namespace goneuron {

class Team {
 public:
  /// The caller of run() is one of the `threads`.
  explicit Team(int threads);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int threads() const { return static_cast<int>(threads_.size()) + 1; }
  /// work(piece, thread) for every piece below `pieces`; returns when all are done. Of several
  /// pieces that throw, the error of the first comes out, whichever threw it earlier. Allocates
  /// nothing.
  template <class Work>
  void run(i64 pieces, Work&& work) {
    run_all(pieces, {[](void* w, i64 piece, int thread) {
                       (*static_cast<std::remove_reference_t<Work>*>(w))(piece, thread);
                     },
                     &work});
  }

 private:
  struct Job {
    void (*call)(void* work, i64 piece, int thread);
    void* work;
  };
  void run_all(i64 pieces, Job job);
  /// Takes pieces until there are none left.
  void take_part(std::unique_lock<std::mutex>& lock, int thread);

  std::mutex mutex_;
  std::condition_variable work_, done_;
  Job job_{};
  i64 pieces_ = 0, next_ = 0, busy_ = 0, failed_ = 0;
  bool quit_ = false;
  std::exception_ptr error_;
  std::vector<std::thread> threads_;  // last: they start when all else is there
};

}  // namespace goneuron
