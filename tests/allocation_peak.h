// The most memory that is allocated at once, by whatever library: for tests of bounds. To be
// included by one file of a program, which gets a malloc of its own, or the sanitizer's hooks.
#pragma once

#include <malloc.h>

#include <atomic>
#include <cerrno>
#include <cstddef>

namespace goneuron {

inline std::atomic<long long> allocated{0}, most_allocated{0};

inline void note_allocated(long long bytes) {
  const long long now = allocated += bytes;
  long long most = most_allocated;
  while (now > most && !most_allocated.compare_exchange_weak(most, now)) {
  }
}

/// The peak above what was allocated when it was made.
class AllocationPeak {
 public:
  AllocationPeak() : start_(allocated) { most_allocated = start_; }
  long long bytes() const { return most_allocated - start_; }

 private:
  long long start_;
};

}  // namespace goneuron

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// Not every GCC brings sanitizer/allocator_interface.h.
extern "C" {
int __sanitizer_install_malloc_and_free_hooks(  // NOLINT: the sanitizer's name
    void (*on_malloc)(const volatile void*, size_t), void (*on_free)(const volatile void*));
size_t __sanitizer_get_allocated_size(const volatile void* memory);  // NOLINT: likewise
}

namespace goneuron {
inline const int hooks_installed = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, size_t size) { note_allocated(static_cast<long long>(size)); },
    [](const volatile void* memory) {
      if (memory != nullptr)
        allocated -=
            static_cast<long long>(__sanitizer_get_allocated_size(const_cast<const void*>(memory)));
    });
}  // namespace goneuron
#else
extern "C" {
void* __libc_malloc(size_t size);                      // NOLINT: glibc's name
void* __libc_calloc(size_t number, size_t size);       // NOLINT: glibc's name
void* __libc_realloc(void* memory, size_t size);       // NOLINT: glibc's name
void* __libc_memalign(size_t alignment, size_t size);  // NOLINT: glibc's name
void __libc_free(void* memory);                        // NOLINT: glibc's name
}

namespace goneuron {
inline long long size_of(void* memory) {
  return static_cast<long long>(malloc_usable_size(memory));
}
inline void* noted(void* memory) {
  note_allocated(size_of(memory));
  return memory;
}
}  // namespace goneuron

extern "C" {
void* malloc(size_t size) { return goneuron::noted(__libc_malloc(size)); }
void* calloc(size_t number, size_t size) { return goneuron::noted(__libc_calloc(number, size)); }
void* realloc(void* memory, size_t size) {
  const long long before = goneuron::size_of(memory);
  void* out = __libc_realloc(memory, size);
  if (out != nullptr || size == 0) goneuron::note_allocated(goneuron::size_of(out) - before);
  return out;
}
void* memalign(size_t alignment, size_t size) {
  return goneuron::noted(__libc_memalign(alignment, size));
}
void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void** memory, size_t alignment, size_t size) {
  *memory = memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}
void free(void* memory) {
  goneuron::allocated -= goneuron::size_of(memory);
  __libc_free(memory);
}
}
#endif
