// EventFile: the files that TensorBoard reads: TFRecord framing (length and data, each with a
// masked CRC-32C) around Event messages of protocol buffers. Used by the TensorBoard callback.
//
//   record   u64 length, u32 masked crc of these 8 bytes, bytes, u32 masked crc of them
//   masked   ((crc >> 15) | (crc << 17)) + 0xa282ead8
//   Event    1 wall_time double, 2 step int64, 3 file_version string, 5 summary Summary
//   Summary  1 value Value..;  Value  1 tag string, 2 simple_value float, 5 histo Histogram
//   Histogram  1 min, 2 max, 3 num, 4 sum, 5 sum_squares double, 6 bucket_limit, 7 bucket packed
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "goneuron/shape.h"

namespace goneuron {

/// CRC-32C (Castagnoli): reflected polynomial 0x82f63b78.
std::uint32_t crc32c(std::string_view bytes);

class EventFile {
 public:
  /// A new file in `folder`, which is made: events.out.tfevents.SECONDS.PROCESS.NUMBER. Throws
  /// FormatError with `where` in front, as the others do.
  EventFile(const std::string& where, const std::string& folder);
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  void scalar(const std::string& tag, double value, i64 step);
  /// Thirty buckets of one width; values that are not finite are left out.
  void histogram(const std::string& tag, std::span<const float> values, i64 step);
  const std::string& path() const { return path_; }

 private:
  void event(i64 step, const std::string& summary_value);
  void record(const std::string& bytes);

  std::string where_, path_;
  int file_ = -1;
};

}  // namespace goneuron
