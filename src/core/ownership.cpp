#include "core/ownership.h"

#include <utility>

namespace goneuron {

using Pointer = KeepAliveAccess::Pointer;

KeepAlive::KeepAlive() noexcept { new (pointer_) Pointer; }
KeepAlive::KeepAlive(Held* held) { new (pointer_) Pointer(std::shared_ptr<Held>(held)); }
KeepAlive::KeepAlive(const KeepAlive& other) noexcept {
  new (pointer_) Pointer(KeepAliveAccess::pointer(other));
}
KeepAlive::KeepAlive(KeepAlive&& other) noexcept {
  new (pointer_) Pointer(std::move(KeepAliveAccess::pointer(other)));
}
KeepAlive& KeepAlive::operator=(const KeepAlive& other) noexcept {
  KeepAliveAccess::pointer(*this) = KeepAliveAccess::pointer(other);
  return *this;
}
KeepAlive& KeepAlive::operator=(KeepAlive&& other) noexcept {
  KeepAliveAccess::pointer(*this) = std::move(KeepAliveAccess::pointer(other));
  return *this;
}
KeepAlive::~KeepAlive() { KeepAliveAccess::pointer(*this).~Pointer(); }

}  // namespace goneuron
