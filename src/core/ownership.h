// Between the std::shared_ptr that the library works with and the Shared and Owner that its public
// handles hold: the same pointer, and the same count.
#pragma once

#include <memory>
#include <new>

#include "goneuron/shared.h"

namespace goneuron {

struct OwnerAccess {
  using Pointer = std::shared_ptr<void>;
  static_assert(sizeof(Pointer) == sizeof(Owner) && alignof(Pointer) == alignof(Owner));
  static Pointer& pointer(Owner& owner) {
    return *std::launder(reinterpret_cast<Pointer*>(owner.pointer_));
  }
  static const Pointer& pointer(const Owner& owner) {
    return *std::launder(reinterpret_cast<const Pointer*>(owner.pointer_));
  }
};

/// An owner that counts as `pointer` does.
template <class T>
Owner owned(std::shared_ptr<T> pointer) {
  Owner owner;
  OwnerAccess::pointer(owner) = std::shared_ptr<void>(std::move(pointer), nullptr);
  return owner;
}

template <class T>
Shared<T> share(std::shared_ptr<T> pointer) {
  T* object = pointer.get();
  return {object, owned(std::move(pointer))};
}

template <class T>
std::shared_ptr<T> pointer_of(const Shared<T>& shared) {
  return {OwnerAccess::pointer(shared.owner()), shared.get()};
}

}  // namespace goneuron
