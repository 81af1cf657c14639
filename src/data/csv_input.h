// CsvInput: where CSV text comes from: a file that can be read from any byte, a packed one, or
// memory. Used by the passes over a table.
#pragma once

#include <memory>
#include <string>

#include "data/byte_source.h"

namespace goneuron::data {

class CsvInput {
 public:
  virtual ~CsvInput() = default;
  /// The text from that byte on. Several threads may call it at once, and read what they got.
  virtual std::unique_ptr<ByteSource> from(i64 offset) const = 0;
  /// Reading may begin anywhere; of a packed file it may not.
  virtual bool seekable() const = 0;
  /// Bytes of text, or of the packed file.
  virtual i64 bytes() const = 0;
};

/// Throws FormatError where there is no such file; `where` opens messages. The file stays open, so
/// that it is the same one for as long as the input lives; one that is written meanwhile is
/// refused.
std::shared_ptr<const CsvInput> csv_file(const std::string& path, const std::string& where);
/// A copy of the text; `name` stands for the file in messages.
std::shared_ptr<const CsvInput> csv_memory(std::string text, const std::string& name,
                                           const std::string& where);

}  // namespace goneuron::data
