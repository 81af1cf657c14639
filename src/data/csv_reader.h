// CsvReader: the rows of a CSV text, a batch at a time, from a file or from memory; in bounded
// memory, and strict about quotes. Used by every pass over a table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/byte_source.h"
#include "data/csv_scan.h"

namespace goneuron::data {

struct Dialect {
  char delimiter = ',', quote = '"';
};

/// A row of the batch: cell i is text[begin(i), end(i)), with its quotes; what follows is readable.
struct CsvRow {
  const char* text = nullptr;
  const std::uint32_t* ends = nullptr;  // of all cells but the last
  std::uint32_t first = 0, last_end = 0;
  i64 cells = 0;  // 0: a blank line

  const char* begin(i64 i) const { return text + (i == 0 ? first : ends[i - 1] + 1); }
  const char* end(i64 i) const { return text + (i + 1 == cells ? last_end : ends[i]); }
};

/// A cell without its quotes, pairs of them made one; `scratch` may come to hold it.
std::string_view cell_text(const char* begin, const char* end, char quote, std::string& scratch);
/// Without blanks and tabs at both ends.
std::string_view trimmed(std::string_view text);

class CsvReader {
 public:
  /// Begins at byte `offset` of the text, in line `line`, as far as messages are concerned.
  CsvReader(std::unique_ptr<ByteSource> source, Dialect dialect, i64 offset = 0, i64 line = 1);

  /// The next batch of whole rows; false after the last one. Throws FormatError with line and
  /// column for what is no CSV.
  bool next();
  i64 rows() const { return static_cast<i64>(rows_); }
  CsvRow row(i64 index) const;
  /// Of a row of the batch: where it begins, in the text's bytes, and its line, from 1.
  i64 offset(i64 index) const { return text_offset_ + row_begin(index); }
  i64 line(i64 index) const { return line_of(row_begin(index)); }
  const ByteSource& source() const { return *source_; }
  Dialect dialect() const { return dialect_; }

 private:
  std::uint32_t row_begin(i64 index) const;
  i64 line_of(size_t place) const;
  void drop_batch();
  bool read_more();
  void scan_to(size_t end);
  void finish_text();
  void check_sizes() const;
  size_t open_cell() const { return scan_.cells == 0 ? 0 : ends_[scan_.cells - 1] + size_t{1}; }
  [[noreturn]] void fail(size_t place, const std::string& what, const std::string& hint) const;
  [[noreturn]] void fail_fault() const;

  std::unique_ptr<ByteSource> source_;
  Dialect dialect_;
  i64 text_offset_, text_line_;  // of the buffer's first byte
  size_t chunk_;
  std::vector<char> text_;  // with padding behind `filled_`
  size_t filled_ = 0, scanned_ = 0;
  bool finished_ = false;
  ScanCarry carry_;
  Scan scan_;
  std::vector<std::uint32_t> ends_, row_ends_;
  size_t rows_ = 0;  // of the batch
};

}  // namespace goneuron::data
