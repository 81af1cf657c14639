// A ZIP archive's list of files and the bytes of one: stored or deflated, ZIP64 or not
// (PKWARE APPNOTE 6.3.10). Used by data::npz and the fuzzer.
#pragma once

#include <vector>

#include "data/byte_source.h"

namespace goneuron::data {

/// Bytes that can be read at any place.
class RandomBytes {
 public:
  virtual ~RandomBytes() = default;
  virtual i64 size() const = 0;
  /// Exactly `count` bytes, which lie inside. Throws FormatError where reading fails.
  virtual void read_at(i64 at, void* out, size_t count) const = 0;
  const std::string& where() const { return where_; }
  const std::string& file() const { return file_; }

 protected:
  RandomBytes(std::string where, std::string file)
      : where_(std::move(where)), file_(std::move(file)) {}

 private:
  std::string where_, file_;
};
/// Throws FormatError, with `missing_hint` when there is no such file.
std::unique_ptr<RandomBytes> random_file(const std::string& path, const std::string& where,
                                         const std::string& missing_hint);
/// `bytes` must outlive it.
std::unique_ptr<RandomBytes> random_memory(const std::uint8_t* bytes, size_t size,
                                           const std::string& name);

struct ZipEntry {
  std::string name;
  int method = 0;  // 0 stored, 8 deflated
  std::uint32_t checksum = 0;
  i64 packed = 0, size = 0, at = 0;  // bytes, and where the entry's own header begins
};

/// The most files in an archive.
inline constexpr i64 zip_max_entries = 1 << 16;

/// Throws FormatError for what is no ZIP archive, is damaged, encrypted, split over several files,
/// or packed by another method.
std::vector<ZipEntry> zip_entries(const RandomBytes& bytes);
/// The unpacked bytes of an entry; reading the last one verifies size and checksum. `bytes` must
/// outlive it.
std::unique_ptr<ByteSource> zip_source(const RandomBytes& bytes, const ZipEntry& entry);

}  // namespace goneuron::data
