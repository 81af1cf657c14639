// Shared: what handles hold, a std::shared_ptr in all but its header. That one would take
// a quarter of the time to compile ours, and only those need it who make such a pointer.
#pragma once

#include <cstddef>

namespace goneuron {

namespace detail {
/// std::shared_ptr, std::unique_ptr and their like.
template <class P>
concept SmartPointer = requires(const P& pointer) {
  typename P::element_type;
  pointer.get();
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
}  // namespace detail

/// Keeps what it was made of until its last copy is gone: empty, or a smart pointer. Copies may be
/// made and dropped on any thread.
class KeepAlive {
 public:
  KeepAlive() noexcept;
  KeepAlive(std::nullptr_t) noexcept : KeepAlive() {}  // NOLINT: converts on purpose
  template <detail::SmartPointer P>
  KeepAlive(P pointer)  // NOLINT: converts on purpose
      : KeepAlive(static_cast<Held*>(new Holds<P>(static_cast<P&&>(pointer)))) {}
  KeepAlive(const KeepAlive& other) noexcept;
  KeepAlive(KeepAlive&& other) noexcept;
  KeepAlive& operator=(const KeepAlive& other) noexcept;
  KeepAlive& operator=(KeepAlive&& other) noexcept;
  ~KeepAlive();

 private:
  friend struct KeepAliveAccess;  // core/ownership.h
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
  explicit KeepAlive(Held* held);

  alignas(void*) std::byte pointer_[2 * sizeof(void*)];  // a std::shared_ptr<void> to nothing
};

/// A pointer to a T that all its copies own. Where T is a class to derive from, a std::shared_ptr
/// or std::unique_ptr to one that does becomes a Shared.
template <class T>
class Shared {
 public:
  Shared() = default;
  Shared(std::nullptr_t) {}  // NOLINT: converts on purpose
  template <detail::SmartPointerTo<T> P>
  Shared(P pointer)  // NOLINT: converts on purpose
      : object_(pointer.get()), kept_(static_cast<P&&>(pointer)) {}
  template <detail::PointsAs<T> U>
  Shared(const Shared<U>& other)  // NOLINT: converts on purpose
      : object_(other.get()), kept_(other.kept()) {}
  Shared(const Shared& other) = default;
  Shared(Shared&& other) noexcept
      : object_(other.object_), kept_(static_cast<KeepAlive&&>(other.kept_)) {
    other.object_ = nullptr;
  }
  Shared& operator=(Shared other) noexcept {
    object_ = other.object_;
    kept_ = static_cast<KeepAlive&&>(other.kept_);
    return *this;
  }
  ~Shared() = default;
  /// `object`, which lives as long as `kept`.
  Shared(T* object, KeepAlive kept) : object_(object), kept_(static_cast<KeepAlive&&>(kept)) {}

  T* get() const { return object_; }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }
  explicit operator bool() const { return object_ != nullptr; }
  const KeepAlive& kept() const { return kept_; }
  friend bool operator==(const Shared& a, const Shared& b) { return a.object_ == b.object_; }
  friend bool operator==(const Shared& a, std::nullptr_t) { return a.object_ == nullptr; }

 private:
  T* object_ = nullptr;
  KeepAlive kept_;
};

}  // namespace goneuron
