// The public functions that read CSV files.
#include <fmt/format.h>

#include <algorithm>

#include "core/message.h"
#include "data/csv_read.h"

namespace goneuron::data {

namespace {

std::vector<std::shared_ptr<const CsvInput>> opened(const Files& files, const std::string& where) {
  if (files.paths.empty())
    throw_data({where, "there are no files; expected at least one", {}, "pass a path"});
  std::vector<std::shared_ptr<const CsvInput>> inputs;
  for (const std::string& path : files.paths) inputs.push_back(csv_file(path, where));
  return inputs;
}

std::string kind_text(const TableColumn& column) {
  switch (column.kind) {
    case ColumnKind::number:
      return fmt::format("number, {:.6g} to {:.6g}, mean {:.6g}", column.min, column.max,
                         column.mean);
    case ColumnKind::date:
      return "date";
    case ColumnKind::text:
      return "text";
    case ColumnKind::category:
      break;
  }
  constexpr size_t most = 5;
  std::string out = "category, " + std::to_string(column.categories.size()) + ": ";
  for (size_t i = 0; i < column.categories.size() && i < most; ++i)
    out += (i > 0 ? ", " : "") + column.categories[i];
  return out + (column.categories.size() > most ? ", .." : "");
}

}  // namespace

Table csv(const Files& files, const CsvOptions& options, Site site) {
  const std::string where = user_place("data::csv", site);
  return read_table(opened(files, where), options, where);
}

Table csv(const Files& files, const Preprocessing& like, const CsvOptions& options, Site site) {
  const std::string where = user_place("data::csv", site);
  return read_table_like(opened(files, where), like, options, where);
}

Preprocessing csv_columns(const Files& files, const CsvOptions& options, Site site) {
  const std::string where = user_place("data::csv_columns", site);
  return read_columns(opened(files, where), options, where).preprocessing;
}

std::string Table::str() const {
  size_t width = 0;
  for (const TableColumn& column : preprocessing.columns)
    width = std::max(width, column.name.size());
  std::string out = counted(rows, "row") +
                    (dropped > 0 ? ", " + std::to_string(dropped) + " left out" : "") +
                    (in_memory ? ", in memory\n" : ", parsed from the file\n");
  constexpr const char* roles[] = {"input  ", "target ", "ignored"};
  for (const TableColumn& column : preprocessing.columns)
    out += "  " + column.name + std::string(width - column.name.size() + 2, ' ') +
           roles[static_cast<int>(column.role)] + "  " +
           (column.role == ColumnRole::ignored ? "" : kind_text(column)) +
           (column.missing > 0 ? "; " + std::to_string(column.missing) + " missing" : "") + "\n";
  return out;
}

}  // namespace goneuron::data
