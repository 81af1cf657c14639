// ByteSource: bytes read in order from a file or from memory, unpacked on the way when they are
// gzip. Used by the readers of data formats; errors name the file and the byte.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "goneuron/shape.h"

namespace goneuron::data {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Reads `count` bytes to `out`; returns how many, fewer only at the end.
  virtual size_t read(std::uint8_t* out, size_t count) = 0;
  /// Bytes left to read; -1 where only reading tells.
  virtual i64 remaining() const = 0;

  /// `where` opens error messages, `file` is named in them.
  const std::string& where() const { return where_; }
  const std::string& file() const { return file_; }

 protected:
  ByteSource(std::string where, std::string file)
      : where_(std::move(where)), file_(std::move(file)) {}

 private:
  std::string where_, file_;
};

/// `bytes` must outlive the source.
std::unique_ptr<ByteSource> memory_source(const std::uint8_t* bytes, size_t size,
                                          std::string where);
/// Throws FormatError, with `missing_hint` when there is no such file.
std::unique_ptr<ByteSource> file_source(const std::string& path, std::string where,
                                        const std::string& missing_hint);

}  // namespace goneuron::data
