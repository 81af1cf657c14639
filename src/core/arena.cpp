#include "core/arena.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "core/checked_math.h"
#include "core/memory.h"
#include "core/message.h"

namespace goneuron {

namespace {
constexpr i64 page = 4096, huge = i64{2} << 20;

/// Starts on a huge page where one fits. The whole huge pages in it ask to be one, the rest stays
/// small, so that the bytes in memory are those asked for. Null when there is none.
void* map(i64 length) {
  const i64 slack = length >= huge ? huge : 0;
  void* got = mmap(nullptr, static_cast<size_t>(checked_add(length, slack)), PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (got == MAP_FAILED) return nullptr;
  if (slack == 0) return got;
  auto* start = static_cast<char*>(got);
  const auto past = static_cast<i64>(reinterpret_cast<std::uintptr_t>(start) % huge);
  const i64 head = past == 0 ? 0 : huge - past;
  if (head > 0) munmap(start, static_cast<size_t>(head));
  if (head < slack) munmap(start + head + length, static_cast<size_t>(slack - head));
  madvise(start + head, static_cast<size_t>(length / huge * huge), MADV_HUGEPAGE);
  return start + head;
}
}  // namespace

std::shared_ptr<void> map_pages(i64 bytes) {
  const i64 length = round_up(bytes, page);
  void* memory = map(length);
  if (memory == nullptr) return nullptr;
  return {memory, [length](void* p) { munmap(p, static_cast<size_t>(length)); }};
}

i64 Arena::resident(i64 bytes) { return round_up(bytes, page); }

Arena::Arena(i64 bytes, const char* what) : bytes_(bytes) {
  if (bytes == 0) return;
  if ((bytes >= huge || memory_is_limited()) && bytes > available_memory())
    throw_too_large(what, bytes, {}, "use a smaller batch size or a smaller model");
  std::shared_ptr<void> pages = map_pages(bytes);
  if (pages == nullptr)
    throw_memory({.what = std::string(what) + " needs " + bytes_text(bytes) +
                          ", which cannot be had: " + std::strerror(errno),
                  .hint = "use a smaller batch size or a smaller model"});
  std::memset(pages.get(), 0, static_cast<size_t>(bytes));  // touched now, not in the first step
  void* memory = pages.get();
  memory_ = std::shared_ptr<void>(memory, [pages = std::move(pages), bytes](void*) mutable {
    pages.reset();
    count_memory(-bytes);
  });
  count_memory(bytes);
}

}  // namespace goneuron
