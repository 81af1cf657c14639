// What a CSV text looks like: its delimiter, whether it has a header, and the names of its columns.
#include <algorithm>
#include <numeric>

#include "core/message.h"
#include "data/csv_cell.h"
#include "data/csv_rows.h"

namespace goneuron::data {

namespace {

constexpr i64 sample_rows = 100;

/// The first row that is not blank; empty where there is none.
std::vector<std::string> first_row(const CsvInput& input, Dialect dialect) {
  CsvReader reader(input.from(0), dialect);
  while (reader.next())
    for (i64 i = 0; i < reader.rows(); ++i)
      if (reader.row(i).cells > 0) return cells_of(reader.row(i), dialect.quote);
  return {};
}

/// Cells of the first rows where all have as many, at least two; else 0. `first`: those of the
/// first row.
i64 cells_alike(const CsvInput& input, Dialect dialect, i64& first) {
  try {
    CsvReader reader(input.from(0), dialect);
    bool alike = true;
    while (first == 0 && reader.next())
      for (i64 i = 0; i < std::min(reader.rows(), sample_rows); ++i) {
        const i64 cells = reader.row(i).cells;
        if (first == 0) first = cells;
        alike &= cells == 0 || cells == first;
      }
    return alike && first > 1 ? first : 0;
  } catch (const FormatError&) {
    return 0;  // no text of this dialect; where it is of none, the pass that follows says why
  }
}

char detect_delimiter(const CsvInput& input, char quote, char decimal) {
  char best = decimal == ',' ? ';' : ',', widest = best;
  i64 most = 0, most_first = 1;
  for (const char delimiter : {',', ';', '\t', '|'}) {
    if (delimiter == quote || delimiter == decimal) continue;
    i64 first = 0;
    const i64 cells = cells_alike(input, {delimiter, quote}, first);
    if (cells > most) most = cells, best = delimiter;
    if (first > most_first) most_first = first, widest = delimiter;
  }
  return most > 0 ? best : widest;
}

bool names_columns(const std::vector<std::string>& row, const CellRules& rules) {
  std::string scratch;
  std::vector<std::string_view> seen;
  seen.reserve(row.size());
  for (size_t i = 0; i < row.size(); ++i) {
    const std::string_view text = trimmed(row[i]);
    if (text.empty() && i == 0 && row.size() > 1) continue;  // an index written by pandas
    const Cell cell = rules.read(row[i].data(), row[i].data() + row[i].size(), scratch);
    if (text.empty() || cell.kind != Cell::Kind::text || rules.dates().days(text)) return false;
    seen.push_back(text);
  }
  std::sort(seen.begin(), seen.end());
  return std::adjacent_find(seen.begin(), seen.end()) == seen.end();
}

void check_names(const CsvLayout& layout) {
  const auto source = layout.inputs[0]->from(0);
  const auto& names = layout.names;
  const auto fail = [&](size_t i, const std::string& what, const std::string& hint) {
    throw_format({source->where(),
                  what,
                  {{"file", source->file()}, {"line", "1"}, {"column", std::to_string(i + 1)}},
                  hint});
  };
  for (size_t i = 0; i < names.size(); ++i)
    if (!is_utf8(names[i]))
      fail(i, "the column's name " + shown_cell(names[i]) + " is no UTF-8",
           "convert the file: iconv -f LATIN1 -t UTF-8 FILE > NEW_FILE");
  std::vector<std::uint32_t> order(names.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&names](std::uint32_t a, std::uint32_t b) {
    const int sign = names[a].compare(names[b]);
    return sign < 0 || (sign == 0 && a < b);
  });
  for (size_t k = 1; k < order.size(); ++k) {
    const size_t first = order[k - 1], second = order[k];
    if (names[first] == names[second])
      fail(second,
           "two columns are named " + shown_cell(names[first]) + ": " + std::to_string(first + 1) +
               " and " + std::to_string(second + 1),
           "give each a name of its own; .header = data::Header::no where the first row is data");
  }
}

}  // namespace

void detect_layout(CsvLayout& layout, const CsvOptions& options) {
  const CsvInput& input = *layout.inputs[0];
  layout.dialect.quote = options.quote;
  layout.dialect.delimiter = options.delimiter != '\0'
                                 ? options.delimiter
                                 : detect_delimiter(input, options.quote, options.decimal);
  auto row = first_row(input, layout.dialect);
  if (row.empty()) {
    const auto source = input.from(0);
    throw_format({source->where(),
                  "the text has no rows; expected at least one",
                  {{"file", source->file()}},
                  "the file is empty; write it again"});
  }
  Preprocessing table;
  table.missing_values = options.missing_values;
  table.decimal = options.decimal;
  table.date_format = options.date_format;
  layout.header = options.header == Header::yes ||
                  (options.header == Header::automatic && names_columns(row, CellRules(table)));
  for (size_t i = 0; i < row.size(); ++i) {
    std::string name = layout.header ? std::string(trimmed(row[i])) : "";
    if (name.empty()) name = unnamed_column(i);
    row[i].swap(name);  // assigned to, a long cell would keep its memory
  }
  layout.names = std::move(row);
  check_names(layout);
}

}  // namespace goneuron::data
