#include "core/arena.h"

#include <sys/mman.h>

#include <cstring>
#include <string>

#include "core/checked_math.h"
#include "core/memory.h"
#include "core/message.h"

namespace goneuron {

Arena::Arena(i64 bytes, const char* what) : bytes_(bytes) {
  if (bytes == 0) return;
  constexpr i64 huge = i64{2} << 20;
  const i64 length = bytes >= huge ? round_up(bytes, huge) : round_up(bytes, 4096);
  if ((bytes >= huge || memory_is_limited()) && bytes > available_memory())
    throw_too_large(what, bytes, {}, "use a smaller batch size or a smaller model");
  void* memory = mmap(nullptr, static_cast<size_t>(length), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    throw_memory({.what = std::string(what) + " needs " + bytes_text(bytes) +
                          ", which cannot be had: " + std::strerror(errno),
                  .hint = "use a smaller batch size or a smaller model"});
  if (bytes >= huge) madvise(memory, static_cast<size_t>(length), MADV_HUGEPAGE);
  std::memset(memory, 0, static_cast<size_t>(bytes));  // touched now, not in the first step
  memory_ = std::shared_ptr<void>(memory, [length, bytes](void* p) {
    munmap(p, static_cast<size_t>(length));
    count_memory(-bytes);
  });
  count_memory(bytes);
}

}  // namespace goneuron
