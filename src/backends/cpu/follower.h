// Follower: what is done with the elements of a tensor as soon as some of them are computed, while
// they are in the cache.
#pragma once

#include <array>
#include <memory>

#include "core/checked_math.h"

namespace goneuron::cpu {

struct Follower {
  /// Works on elements [first, first + n); `alone`: no other worker has any.
  void (*run)(const void* args, i64 first, i64 n, bool alone) noexcept = nullptr;
  std::shared_ptr<const void> args;
  // What else it reads: tensors of the same shape, to be asked for meanwhile; null: nothing.
  std::array<const float*, 3> reads = {};
};

/// Whether all processors have the same last cache; false where the system does not say. Tests set
/// it.
bool& one_last_cache();

}  // namespace goneuron::cpu
