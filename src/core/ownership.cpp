#include "core/ownership.h"

#include <utility>

namespace goneuron {

using Pointer = OwnerAccess::Pointer;

Owner::Owner() noexcept { new (pointer_) Pointer; }
Owner::Owner(Held* held) { new (pointer_) Pointer(std::shared_ptr<Held>(held)); }
Owner::Owner(const Owner& other) noexcept { new (pointer_) Pointer(OwnerAccess::pointer(other)); }
Owner::Owner(Owner&& other) noexcept {
  new (pointer_) Pointer(std::move(OwnerAccess::pointer(other)));
}
Owner& Owner::operator=(const Owner& other) noexcept {
  OwnerAccess::pointer(*this) = OwnerAccess::pointer(other);
  return *this;
}
Owner& Owner::operator=(Owner&& other) noexcept {
  OwnerAccess::pointer(*this) = std::move(OwnerAccess::pointer(other));
  return *this;
}
Owner::~Owner() { OwnerAccess::pointer(*this).~Pointer(); }

}  // namespace goneuron
