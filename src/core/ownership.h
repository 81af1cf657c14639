// Between the std::shared_ptr that the library works with and the Shared and KeepAlive that its
// public handles hold: the same pointer, and the same count.
#pragma once

#include <memory>
#include <new>

#include "goneuron/shared.h"

namespace goneuron {

struct KeepAliveAccess {
  using Pointer = std::shared_ptr<void>;
  static_assert(sizeof(Pointer) == sizeof(KeepAlive) && alignof(Pointer) == alignof(KeepAlive));
  static Pointer& pointer(KeepAlive& kept) {
    return *std::launder(reinterpret_cast<Pointer*>(kept.pointer_));
  }
  static const Pointer& pointer(const KeepAlive& kept) {
    return *std::launder(reinterpret_cast<const Pointer*>(kept.pointer_));
  }
};

/// Counts as `pointer` does. Which object that is for, a Shared knows: here it may be const.
template <class T>
KeepAlive owned(std::shared_ptr<T> pointer) {
  KeepAlive kept;
  KeepAliveAccess::pointer(kept) = std::shared_ptr<void>(std::move(pointer), nullptr);
  return kept;
}

template <class T>
Shared<T> share(std::shared_ptr<T> pointer) {
  T* object = pointer.get();
  return {object, owned(std::move(pointer))};
}

/// Of a Shared that share() made, with the count of the pointer that it was given.
template <class T>
std::shared_ptr<T> pointer_of(const Shared<T>& shared) {
  return {KeepAliveAccess::pointer(shared.kept()), shared.get()};
}

}  // namespace goneuron
