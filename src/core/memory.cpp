#include "core/memory.h"

#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <memory>

#include "core/message.h"

namespace goneuron {

namespace {
std::atomic<i64> limit{0}, held{0};
constexpr i64 unknown = INT64_MAX;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
std::unique_ptr<std::FILE, CloseFile> open_text(const char* path) {
  return std::unique_ptr<std::FILE, CloseFile>(std::fopen(path, "re"));
}

/// The only number of a file such as memory.max; unknown for "max" and where there is no such file.
i64 number_in(const char* path) {
  const auto file = open_text(path);
  long long value = 0;
  return file && std::fscanf(file.get(), "%lld", &value) == 1 ? value : unknown;
}

i64 meminfo() {
  const auto file = open_text("/proc/meminfo");
  char line[256];
  i64 bytes = 0;
  while (file && std::fgets(line, sizeof line, file.get()) != nullptr) {
    long long kilobytes = 0;
    if (std::sscanf(line, "MemAvailable: %lld", &kilobytes) == 1 ||
        std::sscanf(line, "SwapFree: %lld", &kilobytes) == 1)
      bytes += kilobytes * 1024;
  }
  return bytes > 0 ? bytes : unknown;
}

i64 address_space() {
  rlimit most = {};
  if (getrlimit(RLIMIT_AS, &most) != 0 || most.rlim_cur == RLIM_INFINITY) return unknown;
  const i64 pages = number_in("/proc/self/statm");
  return pages == unknown ? unknown : static_cast<i64>(most.rlim_cur) - pages * 4096;
}

i64 control_group() {
  const i64 most = number_in("/sys/fs/cgroup/memory.max");
  const i64 used = number_in("/sys/fs/cgroup/memory.current");
  return most == unknown || used == unknown ? unknown : most - used;
}
}  // namespace

i64 machine_memory() {
  return std::max<i64>(std::min({meminfo(), address_space(), control_group()}), 0);
}

i64 available_memory() {
  if (const i64 most = limit; most > 0) return std::max<i64>(most - held, 0);
  return machine_memory();
}

void limit_memory(i64 bytes) { limit = bytes; }
bool memory_is_limited() { return limit > 0; }
void count_memory(i64 bytes) { held += bytes; }

std::string bytes_text(i64 bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  const char* unit = "KiB";
  double value = static_cast<double>(bytes) / 1024;
  for (const char* next : {"MiB", "GiB", "TiB", "PiB", "EiB"}) {
    if (value < 1024) break;
    value /= 1024;
    unit = next;
  }
  return fmt::format("{:.1f} {}", value, unit);
}

void throw_too_large(const std::string& what, i64 needed, std::vector<Buffer> buffers,
                     const std::string& hint) {
  Message message{.what = what + " needs " + bytes_text(needed) + ", and " +
                          bytes_text(available_memory()) + " can be had",
                  .hint = hint};
  constexpr size_t shown = 5;
  std::stable_sort(buffers.begin(), buffers.end(),
                   [](const Buffer& a, const Buffer& b) { return a.bytes > b.bytes; });
  for (size_t i = 0; i < std::min(shown, buffers.size()); ++i)
    message.lines.emplace_back(
        i == 0 ? "largest" : "",
        fmt::format("{:>10}   {}", bytes_text(buffers[i].bytes), buffers[i].name));
  throw_memory(message);
}

}  // namespace goneuron
