// Arena: one block of memory, allocated and touched once, in huge pages where the system has them.
// Holds parameters, gradients, slots, activations or scratch; freed as a whole.
#pragma once

#include <cstddef>
#include <memory>

#include "goneuron/shape.h"

namespace goneuron {

/// Zeros from the system, not touched yet; null, with errno, when they cannot be had.
std::shared_ptr<void> map_pages(i64 bytes);

class Arena {
 public:
  Arena() = default;
  /// `bytes` of zeros, 64-byte aligned. Throws OutOfMemory naming `what` ("the gradients' memory")
  /// and the size.
  Arena(i64 bytes, const char* what);
  char* data() const { return static_cast<char*>(memory_.get()); }
  i64 bytes() const { return bytes_; }
  /// What an arena of `bytes` takes of the machine's memory: whole pages.
  static i64 resident(i64 bytes);
  const std::shared_ptr<void>& owner() const { return memory_; }

 private:
  std::shared_ptr<void> memory_;
  i64 bytes_ = 0;
};

}  // namespace goneuron
