// CsvRows: the rows of a table, one by one, through all of its files: headers and blank lines are
// passed over, and every row has a cell for each column. Used by the passes over a table.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/csv_input.h"
#include "data/csv_reader.h"

namespace goneuron::data {

struct CsvOptions;

/// How the text is to be read.
struct CsvLayout {
  std::vector<std::shared_ptr<const CsvInput>> inputs;
  Dialect dialect;
  bool header = false;             // each file begins with the names
  std::vector<std::string> names;  // of the columns
  i64 columns() const { return static_cast<i64>(names.size()); }
};

/// Where a row begins.
struct CsvPlace {
  size_t file = 0;
  i64 offset = 0, line = 1;
};

class CsvRows {
 public:
  /// Begins with the first row, or with the one at `begin`.
  explicit CsvRows(const CsvLayout& layout);
  CsvRows(const CsvLayout& layout, const CsvPlace& begin);

  /// False after the last row. Throws FormatError for a row that is too short or too long.
  bool next() {
    if (index_ + 1 < count_) {
      row_ = reader_->row(++index_);
      if (row_.cells == columns_) return true;
    }
    return next_slowly();
  }
  const CsvRow& row() const { return row_; }
  CsvPlace place() const;
  /// DataError at a cell of the row.
  [[noreturn]] void fail(i64 column, const std::string& what, const std::string& hint) const;

 private:
  bool next_slowly();
  bool open(size_t file, i64 offset, i64 line, bool header);
  void check_header();

  const CsvLayout& layout_;
  i64 columns_;
  size_t file_ = 0;
  std::optional<CsvReader> reader_;
  bool header_ahead_ = false;
  i64 index_ = -1, count_ = 0;
  CsvRow row_;
};

/// The dialect, whether there is a header, and the names, from the first rows of the first input.
/// Throws FormatError for a text without rows and for names that are no UTF-8 or are alike.
void detect_layout(CsvLayout& layout, const CsvOptions& options);

/// "column_1" for index 0.
std::string unnamed_column(size_t index);
/// The cells of a row as text, without quotes.
std::vector<std::string> cells_of(const CsvRow& row, char quote);

}  // namespace goneuron::data
