#include "io/event_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "core/message.h"

namespace goneuron {

namespace {

constexpr int buckets = 30;
enum WireType { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

template <class T>
void put_bits(std::string& out, T value) {  // little endian, as this library's machines are
  char raw[sizeof value];
  std::memcpy(raw, &value, sizeof value);
  out.append(raw, sizeof value);
}
void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 128; value >>= 7) out += static_cast<char>((value & 127) | 128);
  out += static_cast<char>(value);
}
void put_key(std::string& out, unsigned field, WireType type) {
  put_varint(out, field << 3 | static_cast<unsigned>(type));
}
void put_double(std::string& out, unsigned field, double value) {
  put_key(out, field, fixed64);
  put_bits(out, value);
}
void put_bytes(std::string& out, unsigned field, const std::string& value) {
  put_key(out, field, bytes);
  put_varint(out, value.size());
  out += value;
}

double seconds_now() {
  using namespace std::chrono;
  return duration<double>(system_clock::now().time_since_epoch()).count();
}

std::uint32_t masked_crc(std::string_view text) {
  const std::uint32_t crc = crc32c(text);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8U;
}

}  // namespace

std::uint32_t crc32c(std::string_view text) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> made = {};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t crc = i;
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78U : 0);
      made[i] = crc;
    }
    return made;
  }();
  std::uint32_t crc = ~0U;
  for (const char c : text) crc = (crc >> 8) ^ table[(crc ^ static_cast<unsigned char>(c)) & 255];
  return ~crc;
}

EventFile::EventFile(const std::string& where, const std::string& folder) : where_(where) {
  static std::atomic<unsigned> counter{0};
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    throw_format({.where = where_,
                  .what = "cannot make the folder: " + error.message(),
                  .lines = {{"folder", folder}},
                  .hint = "choose one whose parent may be written and is no file"});
  const auto now = static_cast<long long>(seconds_now());
  path_ = folder + "/events.out.tfevents." + std::to_string(now) + "." + std::to_string(getpid()) +
          "." + std::to_string(counter++);
  file_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file_ < 0)
    throw_format({.where = where_,
                  .what = std::string("cannot make a file: ") + std::strerror(errno),
                  .lines = {{"file", path_}},
                  .hint = "choose a folder that may be written and has room"});
  std::string version;
  put_double(version, 1, seconds_now());
  put_bytes(version, 3, "brain.Event:2");
  record(version);
}

EventFile::~EventFile() {
  if (file_ >= 0) close(file_);
}

void EventFile::scalar(const std::string& tag, double value, i64 step) {
  std::string one;
  put_bytes(one, 1, tag);
  put_key(one, 2, fixed32);
  put_bits(one, static_cast<float>(value));
  event(step, one);
}

void EventFile::histogram(const std::string& tag, std::span<const float> values, i64 step) {
  double low = INFINITY, high = -INFINITY, sum = 0, squares = 0, count = 0;
  for (const float value : values) {
    if (!std::isfinite(value)) continue;
    const double v = value;
    low = std::min(low, v), high = std::max(high, v);
    sum += v, squares += v * v, count += 1;
  }
  if (count == 0) low = high = 0;
  const double width = (high - low) / buckets;
  std::array<double, buckets> counts = {};
  for (const float value : values) {
    if (!std::isfinite(value)) continue;
    const double at = width > 0 ? std::floor((double{value} - low) / width) : 0;
    counts[static_cast<size_t>(std::clamp(at, 0.0, buckets - 1.0))] += 1;
  }
  std::string limits, filled, histo, one;
  for (int i = 0; i < buckets; ++i) {
    put_bits(limits, i + 1 == buckets ? high : low + width * (i + 1));
    put_bits(filled, counts[static_cast<size_t>(i)]);
  }
  const double facts[] = {low, high, count, sum, squares};
  for (unsigned i = 0; i < 5; ++i) put_double(histo, i + 1, facts[i]);
  put_bytes(histo, 6, limits);
  put_bytes(histo, 7, filled);
  put_bytes(one, 1, tag);
  put_bytes(one, 5, histo);
  event(step, one);
}

void EventFile::event(i64 step, const std::string& summary_value) {
  std::string summary, all;
  put_bytes(summary, 1, summary_value);
  put_double(all, 1, seconds_now());
  put_key(all, 2, varint);
  put_varint(all, static_cast<std::uint64_t>(step));
  put_bytes(all, 5, summary);
  record(all);
}

void EventFile::record(const std::string& data) {
  std::string length, framed;
  put_bits(length, static_cast<std::uint64_t>(data.size()));
  framed = length;
  put_bits(framed, masked_crc(length));
  framed += data;
  put_bits(framed, masked_crc(data));
  for (std::string_view left = framed; !left.empty();) {
    const ssize_t done = write(file_, left.data(), left.size());
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0)
      throw_format({.where = where_,
                    .what = std::string("cannot write to the file: ") + std::strerror(errno),
                    .lines = {{"file", path_}},
                    .hint = "choose a folder that may be written and has room"});
    left.remove_prefix(static_cast<size_t>(done));
  }
}

}  // namespace goneuron
