// CellRules: what a cell of a table is: a number, missing, or text. Used by the pass that infers
// kinds and by the one that decodes.
#pragma once

#include <cmath>
#include <limits>
#include <string>
#include <string_view>

#include "data/csv_date.h"
#include "data/csv_number.h"
#include "data/csv_reader.h"

namespace goneuron::data {

/// Something is wrong with a cell; whoever knows the row's place makes the user's error of it.
struct CellFault {
  int column;
  std::string what, hint;
};

/// A cell as it was found: `text` without quotes and blanks, readable number_padding bytes beyond.
struct Cell {
  enum class Kind : std::uint8_t { number, missing, special, text };
  Kind kind = Kind::text;
  Number number;
  std::string_view text;

  float nearest() const { return nearest_float(number, text.data(), text.data() + text.size()); }
};

class CellRules {
 public:
  explicit CellRules(const Preprocessing& table);

  /// Any cell; its text lasts until the next call with the same scratch.
  Cell read(const char* begin, const char* end, std::string& scratch) const;
  bool number(const char* begin, const char* end, Number& out) const {
    return plain_ && parse_number(begin, end, out);
  }
  /// Cells [first, first + count) as numbers, as far as they are plain ones within a float's range,
  /// as most are; how many.
  i64 numbers(const CsvRow& row, i64 first, i64 count, double* values) const {
    if (!plain_) return 0;
    const char* begin = row.begin(first);
    for (i64 i = 0; i < count; ++i) {
      const char* end = row.end(first + i);
      if (!parse_short_number(begin, end, values[i])) {
        Number number;
        if (!parse_number(begin, end, number) ||
            !(std::fabs(number.value) <= std::numeric_limits<float>::max()))
          return i;
        values[i] = number.value;
      }
      begin = end + 1;
    }
    return count;
  }
  bool is_missing(std::string_view trimmed_text) const;
  const DateFormat& dates() const { return dates_; }
  char quote() const { return quote_; }

 private:
  std::vector<std::string> missing_;
  bool first_of_missing_[256] = {};
  bool empty_is_missing_ = false;
  bool plain_;  // decimals have a point
  char quote_;
  DateFormat dates_;
};

/// True where every byte belongs to UTF-8 as of RFC 3629.
bool is_utf8(std::string_view text);
/// A cell for a message: quoted, at most 40 bytes of it, unprintable bytes as "?".
std::string shown_cell(std::string_view text);

}  // namespace goneuron::data
