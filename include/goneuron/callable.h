// Callable: a function that the user gives, a std::function in all but its header, which would take
// a fifth of the time to compile ours.
#pragma once

#include <cstddef>
#include <type_traits>

namespace goneuron {

namespace detail {
/// What gives an R when it is called with `Args`, but for a Callable that is copied.
template <class F, class Self, class R, class... Args>
concept Gives = !std::is_same_v<F, Self> && !std::is_member_pointer_v<F> &&
                std::is_invocable_r_v<R, F&, Args...>;
}  // namespace detail

template <class Signature>
class Callable;

/// Throws GraphError.
[[noreturn]] void throw_empty_callable();

/// Any function, or object that is called as one, with these arguments, but no pointer to a member;
/// a copy copies it. Empty by default, from nullptr and from what is empty itself, as a
/// std::function may be; a call of an empty one throws GraphError.
template <class R, class... Args>
class Callable<R(Args...)> {
 public:
  Callable() = default;
  Callable(std::nullptr_t) {}  // NOLINT: converts on purpose
  template <detail::Gives<Callable, R, Args...> F>
  Callable(F function) {  // NOLINT: converts on purpose
    static_assert(
        std::is_copy_constructible_v<F>,
        "the function must be copyable: let it hold a std::shared_ptr, no std::unique_ptr");
    if constexpr (requires { F(nullptr), function == nullptr; }) {  // a pointer, a std::function
      if (function == nullptr) return;
    }
    held_ = new Holds<F>(static_cast<F&&>(function));
  }
  Callable(const Callable& other) : held_(other.held_ ? other.held_->copy() : nullptr) {}
  Callable(Callable&& other) noexcept : held_(other.held_) { other.held_ = nullptr; }
  Callable& operator=(Callable other) noexcept {
    Held* before = held_;
    held_ = other.held_;
    other.held_ = before;
    return *this;
  }
  ~Callable() { delete held_; }

  R operator()(Args... args) const {
    if (held_ == nullptr) throw_empty_callable();
    return held_->call(static_cast<Args&&>(args)...);
  }
  explicit operator bool() const { return held_ != nullptr; }
  friend bool operator==(const Callable& f, std::nullptr_t) { return f.held_ == nullptr; }

 private:
  struct Held {
    Held() = default;
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    virtual ~Held() = default;
    virtual Held* copy() const = 0;
    virtual R call(Args&&... args) = 0;
  };
  template <class F>
  struct Holds : Held {
    explicit Holds(const F& f) : function(f) {}
    explicit Holds(F&& f) : function(static_cast<F&&>(f)) {}
    Held* copy() const override { return new Holds(function); }
    R call(Args&&... args) override {
      if constexpr (std::is_void_v<R>)
        static_cast<void>(function(static_cast<Args&&>(args)...));
      else
        return function(static_cast<Args&&>(args)...);
    }
    F function;
  };

  Held* held_ = nullptr;
};

}  // namespace goneuron
