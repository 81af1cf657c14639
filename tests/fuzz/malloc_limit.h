// What a fuzz target allocates, counted through the sanitizer's hooks, and a trap when it is more
// than the promised limit: twice the bytes decoded + 1 MB.
#pragma once

#include <sanitizer/allocator_interface.h>

#include <atomic>
#include <cstddef>
#include <cstdio>

namespace goneuron::fuzz {

inline std::atomic<long long> live{0}, peak{0};

// Called by the sanitizer inside malloc and free: these must not allocate.
inline void on_malloc(const volatile void*, size_t size) {
  const long long now = live += static_cast<long long>(size);
  if (now > peak) peak = now;
}
inline void on_free(const volatile void* memory) {
  if (memory != nullptr)
    live -= static_cast<long long>(__sanitizer_get_allocated_size(const_cast<const void*>(memory)));
}

/// The peak of what is allocated after it is made.
class AllocationPeak {
 public:
  AllocationPeak() {
    static const int installed = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
    if (installed == 0) __builtin_trap();
    start_ = live;
    peak = start_;
  }
  void expect_at_most(size_t decoded, const char* what) const {
    const long long used = peak - start_, allowed = 2 * static_cast<long long>(decoded) + (1 << 20);
    if (used <= allowed) return;
    std::fprintf(stderr, "%s: %lld bytes allocated, allowed are %lld for %zu bytes decoded\n", what,
                 used, allowed, decoded);
    __builtin_trap();
  }

 private:
  long long start_ = 0;
};

}  // namespace goneuron::fuzz
