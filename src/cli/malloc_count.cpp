#include "cli/malloc_count.h"

#include <malloc.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GONEURON_COUNTS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define GONEURON_COUNTS 0
#endif
#endif
#if !defined(GONEURON_COUNTS) && defined(__GLIBC__)
#define GONEURON_COUNTS 1
#endif

#if GONEURON_COUNTS
// A program's own malloc replaces the C library's everywhere; memory still comes from (and is freed
// by) glibc.
namespace {
std::atomic<std::int64_t> calls{0};
void count() { calls.fetch_add(1, std::memory_order_relaxed); }
}  // namespace

extern "C" {
void* __libc_malloc(size_t size);                      // NOLINT: glibc's name
void* __libc_calloc(size_t number, size_t size);       // NOLINT: glibc's name
void* __libc_realloc(void* memory, size_t size);       // NOLINT: glibc's name
void* __libc_memalign(size_t alignment, size_t size);  // NOLINT: glibc's name

void* malloc(size_t size) {
  count();
  return __libc_malloc(size);
}
void* calloc(size_t number, size_t size) {
  count();
  return __libc_calloc(number, size);
}
void* realloc(void* memory, size_t size) {
  count();
  return __libc_realloc(memory, size);
}
void* memalign(size_t alignment, size_t size) {
  count();
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void** memory, size_t alignment, size_t size) {
  *memory = memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}
}

namespace goneuron::cli {
std::int64_t allocation_calls() { return calls.load(std::memory_order_relaxed); }
}  // namespace goneuron::cli
#else
namespace goneuron::cli {
std::int64_t allocation_calls() { return -1; }
}  // namespace goneuron::cli
#endif
