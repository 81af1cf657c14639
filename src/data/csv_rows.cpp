#include "data/csv_rows.h"

#include "core/message.h"
#include "data/csv_cell.h"

namespace goneuron::data {

CsvRows::CsvRows(const CsvLayout& layout) : layout_(layout), columns_(layout.columns()) {
  open(0, 0, 1, layout.header);
}

CsvRows::CsvRows(const CsvLayout& layout, const CsvPlace& begin)
    : layout_(layout), columns_(layout.columns()) {
  open(begin.file, begin.offset, begin.line, begin.offset == 0 && layout.header);
}

bool CsvRows::open(size_t file, i64 offset, i64 line, bool header) {
  if (file >= layout_.inputs.size()) return false;
  file_ = file;
  reader_.emplace(layout_.inputs[file]->from(offset), layout_.dialect, offset, line);
  header_ahead_ = header;
  index_ = -1;
  count_ = 0;
  return true;
}

bool CsvRows::next_slowly() {
  while (true) {
    // next() may have gone to a row already that is blank or of another length.
    const bool at_row = index_ >= 0 && index_ < count_ && row_.cells != columns_;
    if (!at_row) {
      if (index_ + 1 >= count_) {
        if (!reader_->next()) {
          if (!open(file_ + 1, 0, 1, layout_.header)) return false;
          continue;
        }
        count_ = reader_->rows();
        index_ = -1;
      }
      row_ = reader_->row(++index_);
    }
    if (row_.cells == 0) {
      row_.cells = columns_;  // done with
      continue;
    }
    if (header_ahead_) {
      check_header();
      header_ahead_ = false;
      row_.cells = columns_;
      continue;
    }
    if (row_.cells == columns_) return true;
    fail(std::min(row_.cells, columns_) - 1,
         "the row has " + counted(row_.cells, "cell") + "; expected " + std::to_string(columns_) +
             (layout_.header ? ", as in the header" : ", as in the first row"),
         "add or remove cells, or put a cell that holds the delimiter in quotes");
  }
}

CsvPlace CsvRows::place() const { return {file_, reader_->offset(index_), reader_->line(index_)}; }

void CsvRows::fail(i64 column, const std::string& what, const std::string& hint) const {
  throw_data({reader_->source().where(),
              what,
              {{"file", reader_->source().file()},
               {"line", std::to_string(reader_->line(index_))},
               {"column", std::to_string(column + 1) + ", " +
                              shown_cell(layout_.names[static_cast<size_t>(column)])}},
              hint});
}

void CsvRows::check_header() {
  if (file_ == 0) return;  // the names come from there
  std::vector<std::string> names = cells_of(row_, layout_.dialect.quote);
  for (size_t i = 0; i < layout_.names.size(); ++i) {
    const std::string found = i < names.size() ? std::string(trimmed(names[i])) : "";
    if (found != layout_.names[i] && !(found.empty() && layout_.names[i] == unnamed_column(i)))
      fail(static_cast<i64>(i),
           "the header names " + shown_cell(found) + "; expected " + shown_cell(layout_.names[i]) +
               ", as in the first file",
           "files that are read as one need the same columns in the same order");
  }
  if (names.size() > layout_.names.size())
    fail(columns_ - 1, "the header has more names than that of the first file",
         "files that are read as one need the same columns in the same order");
}

std::string unnamed_column(size_t index) { return "column_" + std::to_string(index + 1); }

std::vector<std::string> cells_of(const CsvRow& row, char quote) {
  std::vector<std::string> cells;
  cells.reserve(static_cast<size_t>(row.cells));
  std::string scratch;
  for (i64 i = 0; i < row.cells; ++i)
    cells.emplace_back(cell_text(row.begin(i), row.end(i), quote, scratch));
  return cells;
}

}  // namespace goneuron::data
