// Shared: what handles hold, a std::shared_ptr in all but its header. That one takes a fifth of the
// time to compile a program that includes ours, and only those need it who make such a pointer.
#pragma once

#include <cstddef>

namespace goneuron {

/// std::shared_ptr, std::unique_ptr and their like.
template <class P>
concept SmartPointer = requires(const P& pointer) {
  typename P::element_type;
  pointer.get();
};

/// Keeps what it was made of until its last copy is gone: empty, or a smart pointer. Copies may be
/// made and dropped on any thread.
class Owner {
 public:
  Owner() noexcept;
  template <SmartPointer P>
  Owner(P pointer)  // NOLINT: converts on purpose
      : Owner(static_cast<Held*>(new Holds<P>(static_cast<P&&>(pointer)))) {}
  Owner(const Owner& other) noexcept;
  Owner(Owner&& other) noexcept;
  Owner& operator=(const Owner& other) noexcept;
  Owner& operator=(Owner&& other) noexcept;
  ~Owner();

 private:
  friend struct OwnerAccess;  // core/ownership.h
  struct Held {
    Held() = default;
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    virtual ~Held() = default;
  };
  template <class P>
  struct Holds : Held {
    explicit Holds(P&& held) : pointer(static_cast<P&&>(held)) {}
    P pointer;
  };
  explicit Owner(Held* held);

  alignas(void*) std::byte pointer_[2 * sizeof(void*)];  // a std::shared_ptr<void>
};

/// Whether a U* is a T*.
template <class U, class T>
concept PointsAs = requires(U* from, T*& to) {
  to = from;
};
/// One to a class that derives from T, which is made for that.
template <class P, class T>
concept SmartPointerTo = SmartPointer<P> && PointsAs<typename P::element_type, T> &&
    __has_virtual_destructor(typename P::element_type);

/// A pointer to a T that all its copies own. Of a class to derive from, it is made of any
/// std::shared_ptr or std::unique_ptr to a class that does.
template <class T>
class Shared {
 public:
  Shared() = default;
  Shared(std::nullptr_t) {}  // NOLINT: converts on purpose
  template <SmartPointerTo<T> P>
  Shared(P pointer)  // NOLINT: converts on purpose
      : object_(pointer.get()), owner_(static_cast<P&&>(pointer)) {}
  template <PointsAs<T> U>
  Shared(const Shared<U>& other)  // NOLINT: converts on purpose
      : object_(other.get()), owner_(other.owner()) {}
  Shared(const Shared& other) = default;
  Shared(Shared&& other) noexcept
      : object_(other.object_), owner_(static_cast<Owner&&>(other.owner_)) {
    other.object_ = nullptr;
  }
  Shared& operator=(Shared other) noexcept {
    object_ = other.object_;
    owner_ = static_cast<Owner&&>(other.owner_);
    return *this;
  }
  ~Shared() = default;
  /// `object`, which lives as long as `owner`.
  Shared(T* object, Owner owner) : object_(object), owner_(static_cast<Owner&&>(owner)) {}

  T* get() const { return object_; }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }
  explicit operator bool() const { return object_ != nullptr; }
  const Owner& owner() const { return owner_; }
  friend bool operator==(const Shared& a, const Shared& b) { return a.object_ == b.object_; }
  friend bool operator==(const Shared& a, std::nullptr_t) { return a.object_ == nullptr; }

 private:
  T* object_ = nullptr;
  Owner owner_;
};

}  // namespace goneuron
