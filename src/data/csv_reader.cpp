#include "data/csv_reader.h"

#include <algorithm>
#include <cstring>

#include "core/message.h"
#include "goneuron/csv.h"

namespace goneuron::data {

namespace {

constexpr size_t padding = 64;
constexpr char filler = 1;  // never a delimiter or a quote

/// Bytes that are read at once: no more than there are.
size_t chunk_for(const ByteSource& source) {
  constexpr i64 least = 256, most = i64{1} << 16;
  const i64 left = source.remaining();
  return static_cast<size_t>(left < 0 ? most : std::clamp(left + 64, least, most));
}

/// By a quarter at least.
void grow(std::vector<std::uint32_t>& places, size_t needed) {
  if (places.size() >= needed) return;
  places.reserve(std::max(needed, places.size() + places.size() / 4));
  places.resize(places.capacity());
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view cell_text(const char* begin, const char* end, char quote, std::string& scratch) {
  const std::string_view raw(begin, static_cast<size_t>(end - begin));
  if (raw.size() < 2 || raw.front() != quote) return raw;
  const std::string_view inner = raw.substr(1, raw.size() - 2);
  if (inner.find(quote) == std::string_view::npos) return inner;
  scratch.clear();
  for (size_t i = 0; i < inner.size(); ++i) {
    scratch += inner[i];
    if (inner[i] == quote) ++i;  // the second of a pair
  }
  return scratch;
}

CsvReader::CsvReader(std::unique_ptr<ByteSource> source, Dialect dialect, i64 offset, i64 line)
    : source_(std::move(source)),
      dialect_(dialect),
      text_offset_(offset),
      text_line_(line),
      chunk_(chunk_for(*source_)) {
  text_.resize(chunk_ + padding);
  if (offset > 0) return;
  // The byte order mark goes, and what is no UTF-8 by its own mark is refused.
  std::uint8_t mark[3];
  const size_t found = source_->read(mark, 3);
  if (found >= 2 && ((mark[0] == 0xFF && mark[1] == 0xFE) || (mark[0] == 0xFE && mark[1] == 0xFF)))
    fail(0, "the text is UTF-16; expected UTF-8",
         "convert it: iconv -f UTF-16 -t UTF-8 FILE > NEW_FILE");
  if (found == 3 && mark[0] == 0xEF && mark[1] == 0xBB && mark[2] == 0xBF) {
    text_offset_ = 3;
    return;
  }
  std::memcpy(text_.data(), mark, found);
  filled_ = found;
}

std::uint32_t CsvReader::row_begin(i64 index) const {
  return index == 0 ? 0 : ends_[row_ends_[static_cast<size_t>(index) - 1]] + 1;
}

CsvRow CsvReader::row(i64 index) const {
  CsvRow row;
  const size_t last = row_ends_[static_cast<size_t>(index)];
  const size_t before = index == 0 ? 0 : row_ends_[static_cast<size_t>(index) - 1] + size_t{1};
  row.text = text_.data();
  row.ends = ends_.data() + before;
  row.first = row_begin(index);
  row.last_end = ends_[last];
  row.cells = static_cast<i64>(last - before + 1);
  if (row.last_end > row.first && row.text[row.last_end - 1] == '\r') --row.last_end;
  if (row.cells == 1 && row.last_end == row.first) row.cells = 0;
  return row;
}

i64 CsvReader::line_of(size_t place) const {
  const auto begin = text_.begin();
  return text_line_ + std::count(begin, begin + static_cast<std::ptrdiff_t>(place), '\n');
}

/// What follows the batch's last row moves to the front.
void CsvReader::drop_batch() {
  if (rows_ == 0) return;
  const size_t cells = row_ends_[rows_ - 1] + size_t{1};
  const size_t bytes = ends_[cells - 1] + size_t{1};
  const auto rest = text_.begin() + static_cast<std::ptrdiff_t>(bytes);
  const auto left = std::count(rest, text_.begin() + static_cast<std::ptrdiff_t>(scanned_), '\n');
  text_line_ += scan_.lines - left;
  scan_.lines = left;
  text_offset_ += static_cast<i64>(bytes);
  std::memmove(text_.data(), text_.data() + bytes, filled_ - bytes);
  for (size_t i = cells; i < scan_.cells; ++i)
    ends_[i - cells] = ends_[i] - static_cast<std::uint32_t>(bytes);
  filled_ -= bytes;
  scanned_ -= bytes;
  scan_.cells -= cells;
  scan_.rows = 0;
  rows_ = 0;
}

bool CsvReader::next() {
  drop_batch();
  while (scan_.rows == 0) {
    if (finished_) return false;
    if (read_more())
      scan_to(scanned_ + (filled_ - scanned_) / 64 * 64);
    else
      finish_text();
    check_sizes();
  }
  rows_ = scan_.rows;
  return true;
}

/// False at the end of the text.
bool CsvReader::read_more() {
  if (text_.size() < filled_ + chunk_ / 2 + padding) {
    const size_t wanted = filled_ + filled_ / 8 + chunk_ + padding;
    text_.reserve(wanted);  // not twice as much
    text_.resize(wanted);
  }
  const size_t room = text_.size() - padding - filled_;
  const size_t found = source_->read(reinterpret_cast<std::uint8_t*>(text_.data()) + filled_, room);
  filled_ += found;
  return found == room;
}

/// In steps: there is room for an end at every byte of one.
void CsvReader::scan_to(size_t end) {
  constexpr size_t step = size_t{32} << 10;
  while (scanned_ < end) {
    const size_t bytes = std::min(end - scanned_, step);
    grow(ends_, scan_.cells + bytes + padding);
    grow(row_ends_, scan_.rows + bytes + padding);
    scan_.ends = ends_.data();
    scan_.row_ends = row_ends_.data();
    scan_csv(text_.data(), scanned_, bytes / 64, dialect_.delimiter, dialect_.quote, carry_, scan_);
    if (scan_.fault != ScanFault::none) fail_fault();
    scanned_ += bytes;
  }
}

/// The rest of the text, filled up to a stretch with what is in no row.
void CsvReader::finish_text() {
  const size_t end = filled_, bytes = (end + 1 - scanned_ + 63) / 64 * 64;
  if (text_.size() < scanned_ + bytes + padding) text_.resize(scanned_ + bytes + padding);
  // Ends the last row where nothing does; the blank line that it else makes is dropped below.
  text_[end] = '\n';
  std::memset(text_.data() + end + 1, filler, scanned_ + bytes - end - 1);
  scan_to(scanned_ + bytes);
  if (carry_.in_quote != 0)
    fail(open_cell(), "the quote that opens here is never closed",
         "close the cell with a quote, and write a quote within it twice");
  filled_ = scanned_ = end + 1;
  if (scan_.rows > 0 && row_begin(static_cast<i64>(scan_.rows) - 1) == end) --scan_.rows;
  finished_ = true;
}

/// Costs nothing unless the buffer has grown to hold a row.
void CsvReader::check_sizes() const {
  constexpr auto most_columns = static_cast<size_t>(csv_max_columns);
  constexpr auto most_bytes = static_cast<size_t>(csv_max_row);
  if (scan_.cells < most_columns && scanned_ <= static_cast<size_t>(csv_max_cell)) return;
  size_t cell = 0, begin = 0;
  for (size_t r = 0; r <= scan_.rows; ++r) {  // the last one is not whole
    const size_t end = r < scan_.rows ? row_ends_[r] + size_t{1} : scan_.cells;
    if (end - cell + (r < scan_.rows ? 0 : 1) > most_columns)
      fail(begin, "the row has more than " + std::to_string(csv_max_columns) + " cells",
           "check the delimiter; a wider table must be split");
    size_t cell_begin = begin;
    for (; cell < end; ++cell) {
      if (ends_[cell] - cell_begin > static_cast<size_t>(csv_max_cell))
        fail(cell_begin, "the cell is longer than " + std::to_string(csv_max_cell) + " bytes",
             "check the quotes; longer texts do not belong into a table");
      cell_begin = ends_[cell] + size_t{1};
    }
    if ((r < scan_.rows ? cell_begin : scanned_) - begin > most_bytes) {
      const bool open = r == scan_.rows && carry_.in_quote != 0;
      fail(open ? open_cell() : begin,
           std::string(open ? "the quote that opens here is not closed within "
                            : "the row is longer than ") +
               std::to_string(csv_max_row) + " bytes",
           "check that it is a CSV file with one row a line, and quotes in pairs");
    }
    begin = cell_begin;
  }
}

void CsvReader::fail(size_t place, const std::string& what, const std::string& hint) const {
  const char* text = text_.data();
  size_t line = place, cell = 0;
  while (line > 0 && text[line - 1] != '\n') --line;
  // The cells of its row that end before it; the last ones may not have been noted yet.
  bool quoted = false;
  for (size_t i = scan_.rows == 0 ? 0 : row_begin(static_cast<i64>(scan_.rows)); i < place; ++i) {
    quoted ^= text[i] == dialect_.quote;
    if (!quoted && text[i] == dialect_.delimiter) ++cell;
    if (!quoted && text[i] == '\n') cell = 0;
  }
  throw_format({source_->where(),
                what,
                {{"file", source_->file()},
                 {"line", std::to_string(line_of(place)) + ", byte " +
                              std::to_string(place - line + 1) + " of it"},
                 {"column", std::to_string(cell + 1)}},
                hint});
}

void CsvReader::fail_fault() const {
  const size_t at = scan_.fault_at;
  switch (scan_.fault) {
    case ScanFault::nul:
      fail(at, "the text has a zero byte; expected UTF-8 text",
           "it is a binary file, or text of another encoding: iconv converts it");
    case ScanFault::bare_cr:
      fail(at - 1, "a carriage return has no line feed behind it",
           "end lines with LF or CRLF, and put a cell that holds a carriage return in quotes");
    case ScanFault::quote_inside:
      fail(at, "a quote stands inside a cell that does not begin with one",
           "put the whole cell in quotes, and write a quote within it twice");
    default:
      fail(at, "text follows the quote that closes a cell; expected a delimiter or the line's end",
           "write a quote within a quoted cell twice");
  }
}

}  // namespace goneuron::data
