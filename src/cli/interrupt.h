// Interrupts: the first Ctrl-C ends the training after the step in progress, the second one the
// program. Used by train.cpp.
#pragma once

#include "goneuron/callback.h"

namespace goneuron::cli {

/// While it lives, SIGINT sets a flag, and SIGTERM is taken for it. fit() with checkpoints writes
/// one before the flag is set.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
  /// Stops fit() when the flag is set.
  static Callback callback();
  static bool interrupted();
};

}  // namespace goneuron::cli
