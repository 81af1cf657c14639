// Preprocessing: what its columns become, and raw rows as a model's input.
#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "core/message.h"
#include "data/csv_decode.h"
#include "data/csv_rows.h"

namespace goneuron::data {

namespace {

/// Which cell of a raw row is which column: columns[i] for cell i, -1 for one that is not used.
using Cells = std::vector<int>;

[[noreturn]] void fail_row(const std::string& where, i64 row, const std::string& what,
                           const std::string& hint) {
  throw_data({where, what, {{"row", std::to_string(row + 1)}}, hint});
}

/// Cells of a row without names.
Cells cells_by_count(const Preprocessing& table, size_t count, const std::string& where, i64 row) {
  Cells all, without_targets, inputs;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const ColumnRole role = table.columns[i].role;
    const int used = role == ColumnRole::input ? static_cast<int>(i) : -1;
    all.push_back(used);
    if (role != ColumnRole::target) without_targets.push_back(used);
    if (role == ColumnRole::input) inputs.push_back(used);
  }
  for (const Cells* cells : {&all, &without_targets, &inputs})
    if (cells->size() == count) return *cells;
  fail_row(where, row,
           "the row has " + counted(static_cast<i64>(count), "cell") + "; expected " +
               std::to_string(all.size()) + " as in the file, " +
               std::to_string(without_targets.size()) + " without the targets, or " +
               std::to_string(inputs.size()) + " of the inputs alone",
           "give the cells in the order of the file that the model was trained on");
}

/// Cells by a header; false where the row is none: some cell names no column, and some input is
/// not named.
bool cells_by_names(const Preprocessing& table, const std::vector<std::string>& names,
                    Cells& cells) {
  cells = columns_named(table, names);
  std::vector<bool> named(table.columns.size());
  bool all_known = true;
  for (int& column : cells) {
    all_known &= column >= 0;
    if (column < 0) continue;
    const auto i = static_cast<size_t>(column);
    named[i] = true;
    if (table.columns[i].role != ColumnRole::input) column = -1;
  }
  const auto inputs = table.with_role(ColumnRole::input);
  return all_known || std::all_of(inputs.begin(), inputs.end(),
                                  [&](int i) { return named[static_cast<size_t>(i)]; });
}

void check_all_inputs(const Preprocessing& table, const Cells& cells, const std::string& where) {
  std::vector<int> found(table.columns.size());
  for (const int i : cells)
    if (i >= 0) ++found[static_cast<size_t>(i)];
  for (size_t i = 0; i < found.size(); ++i)
    if (table.columns[i].role == ColumnRole::input && found[i] != 1)
      fail_row(where, 0,
               "the header names the column " + shown_cell(table.columns[i].name) +
                   (found[i] == 0 ? " not at all" : " twice") + "; expected each input once",
               "name every input of the table that the model was trained on");
}

void put_row(const Preprocessing& table, const RowDecoder& decoder, const Cells& cells,
             const std::vector<std::string>& row, float* x, const std::string& where, i64 number) {
  std::string scratch;
  try {
    for (size_t i = 0; i < cells.size(); ++i)
      if (cells[i] >= 0) decoder.put_input(static_cast<size_t>(cells[i]), row[i], x, scratch);
  } catch (const CellFault& fault) {
    const auto column = static_cast<size_t>(fault.column);
    throw_data(
        {where,
         fault.what,
         {{"row", std::to_string(number + 1)},
          {"column", std::to_string(column + 1) + ", " + shown_cell(table.columns[column].name)}},
         fault.hint});
  }
}

Tensor rows_as_inputs(const Preprocessing& table, const std::vector<std::vector<std::string>>& rows,
                      size_t first, const Cells* named, const std::string& where) {
  const RowDecoder decoder(table);
  const auto count = static_cast<i64>(rows.size() - first);
  if (count == 0)
    throw_data({where, "there are no rows; expected at least one", {}, "give a list of rows"});
  Tensor x(Shape({count, decoder.features()}));
  for (size_t r = first; r < rows.size(); ++r) {
    const auto number = static_cast<i64>(r);
    if (named != nullptr && rows[r].size() != named->size())
      fail_row(where, number,
               "the row has " + counted(static_cast<i64>(rows[r].size()), "cell") + "; expected " +
                   std::to_string(named->size()) + ", as in the header",
               "add or remove cells, or put a cell that holds the delimiter in quotes");
    const Cells cells =
        named != nullptr ? *named : cells_by_count(table, rows[r].size(), where, number);
    put_row(table, decoder, cells, rows[r],
            x.data() + static_cast<i64>(r - first) * decoder.features(), where, number);
  }
  return x;
}

}  // namespace

std::vector<int> columns_named(const Preprocessing& table, const std::vector<std::string>& names) {
  std::unordered_map<std::string_view, int> places;
  for (size_t i = 0; i < table.columns.size(); ++i)
    places.emplace(table.columns[i].name, static_cast<int>(i));
  std::vector<int> columns;
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string name(trimmed(names[i]));
    const auto at = places.find(name.empty() ? unnamed_column(i) : name);
    columns.push_back(at == places.end() ? -1 : at->second);
  }
  return columns;
}

std::vector<int> Preprocessing::with_role(ColumnRole role) const {
  std::vector<int> found;
  for (size_t i = 0; i < columns.size(); ++i)
    if (columns[i].role == role) found.push_back(static_cast<int>(i));
  return found;
}

bool Preprocessing::joined_targets() const {
  bool any = false, classes = false;
  for (const TableColumn& column : columns) {
    any |= column.role == ColumnRole::target;
    classes |= column.role == ColumnRole::target && column.kind == ColumnKind::category;
  }
  return any && !classes;
}

i64 Preprocessing::features() const { return RowDecoder(*this).features(); }

std::vector<std::string> Preprocessing::feature_names() const {
  std::vector<std::string> names;
  for (const int i : with_role(ColumnRole::input)) {
    const TableColumn& column = columns[static_cast<size_t>(i)];
    if (column.kind == ColumnKind::category && encode == Encode::one_hot) {
      for (const std::string& text : column.categories) names.push_back(column.name + "=" + text);
    } else if (column.kind == ColumnKind::date) {
      for (const DateFeature feature : date_features) {
        const std::string name = column.name + "." + date_feature_name(feature);
        if (date_width(feature) == 1)
          names.push_back(name);
        else
          names.insert(names.end(), {name + ".sin", name + ".cos"});
      }
    } else {
      names.push_back(column.name);
    }
  }
  return names;
}

double Preprocessing::restored(int target, double predicted, Site site) const {
  const auto places = with_role(ColumnRole::target);
  if (target < 0 || target >= static_cast<int>(places.size()))
    throw_data({user_place("Preprocessing::restored", site),
                "there is no target " + std::to_string(target) + "; expected below " +
                    std::to_string(places.size()),
                {},
                "targets count from 0 in the order of the file"});
  if (!normalize_target) return predicted;
  const auto [shift, scale] =
      scale_of(columns[static_cast<size_t>(places[static_cast<size_t>(target)])], normalize);
  return predicted / scale + shift;
}

Tensor Preprocessing::inputs(const std::vector<std::vector<std::string>>& rows, Site site) const {
  return rows_as_inputs(*this, rows, 0, nullptr, user_place("Preprocessing::inputs", site));
}

Tensor Preprocessing::inputs_of_csv(const std::string& text, Site site) const {
  const std::string where = user_place("Preprocessing::inputs_of_csv", site);
  const auto input = csv_memory(text, "rows", where);  // outlives what reads it
  CsvReader reader(input->from(0), {delimiter, quote});
  std::vector<std::vector<std::string>> rows;
  while (reader.next())
    for (i64 i = 0; i < reader.rows(); ++i)
      if (reader.row(i).cells > 0) rows.push_back(cells_of(reader.row(i), quote));
  Cells named;
  const bool names = header && !rows.empty() && cells_by_names(*this, rows[0], named);
  if (names) check_all_inputs(*this, named, where);
  return rows_as_inputs(*this, rows, names ? 1 : 0, names ? &named : nullptr, where);
}

}  // namespace goneuron::data
