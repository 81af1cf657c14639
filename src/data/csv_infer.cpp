#include "data/csv_infer.h"

#include <algorithm>

#include "core/message.h"
#include "data/csv_pass.h"

namespace goneuron::data {

namespace {

constexpr i64 most_target_classes = 10'000, most_categories = 1 << 30;

std::string names_text(const std::vector<std::string>& names) {
  constexpr size_t most = 20;
  std::string out;
  for (size_t i = 0; i < names.size() && i < most; ++i)
    out += (i == 0 ? "" : ", ") + shown_cell(names[i]);
  return out + (names.size() > most ? ", .." : "");
}

/// The options' lists as places among the columns.
class Columns {
 public:
  Columns(const CsvLayout& layout, const std::string& where) : layout_(layout), where_(where) {}

  std::vector<size_t> of(const ColumnList& list, const char* option) const {
    std::vector<size_t> found;
    for (const ColumnRef& ref : list.columns) {
      const size_t at = place(ref, option);
      if (std::find(found.begin(), found.end(), at) != found.end())
        fail(std::string(option) + " names the column " + shown_cell(layout_.names[at]) + " twice",
             "name it once");
      found.push_back(at);
    }
    return found;
  }
  [[noreturn]] void fail(const std::string& what, const std::string& hint) const {
    throw_data(
        {where_,
         what,
         {{"file", layout_.inputs[0]->from(0)->file()}, {"columns", names_text(layout_.names)}},
         hint});
  }

 private:
  size_t place(const ColumnRef& ref, const char* option) const {
    const auto& names = layout_.names;
    if (!ref.name.empty()) {
      const auto at = std::find(names.begin(), names.end(), ref.name);
      if (at != names.end()) return static_cast<size_t>(at - names.begin());
      fail(std::string(option) + " names the column " + shown_cell(ref.name) +
               ", which does not exist",
           layout_.header ? "use one of the names above, or an index from 0"
                          : "the first row was taken for data; .header = data::Header::yes where "
                            "it is names");
    }
    const i64 at = ref.index < 0 ? ref.index + layout_.columns() : ref.index;
    if (at < 0 || at >= layout_.columns())
      fail(std::string(option) + " asks for column " + std::to_string(ref.index) + " of " +
               std::to_string(layout_.columns()),
           "indices count from 0, and from -1 back from the end");
    return static_cast<size_t>(at);
  }

  const CsvLayout& layout_;
  const std::string& where_;
};

/// What the options say about each column.
std::vector<ColumnScan::Wanted> wanted_columns(const CsvLayout& layout, const CsvOptions& options,
                                               const std::string& where) {
  const Columns columns(layout, where);
  const auto& names = layout.names;
  std::vector<ColumnScan::Wanted> wanted(names.size());
  const auto inputs = columns.of(options.inputs, ".inputs");
  for (ColumnScan::Wanted& w : wanted) w.ignored = !inputs.empty();
  for (const size_t i : inputs) wanted[i].ignored = false;
  for (const size_t i : columns.of(options.ignore, ".ignore")) wanted[i].ignored = true;
  for (const size_t i : columns.of(options.target, ".target")) {
    const bool listed = std::find(inputs.begin(), inputs.end(), i) != inputs.end();
    if (listed || (inputs.empty() && wanted[i].ignored))
      columns.fail("the column " + shown_cell(names[i]) + " is in .target and in " +
                       (listed ? ".inputs" : ".ignore"),
                   "name it in one of them");
    wanted[i].ignored = false;
    wanted[i].target = true;
  }
  for (const size_t i : columns.of(options.numbers, ".numbers")) wanted[i].number = true;
  for (const size_t i : columns.of(options.categories, ".categories")) wanted[i].category = true;
  for (const size_t i : columns.of(options.dates, ".dates")) wanted[i].date = true;
  for (size_t i = 0; i < names.size(); ++i) {
    ColumnScan::Wanted& w = wanted[i];
    if (w.number + w.category + w.date > 1)
      columns.fail(
          "the column " + shown_cell(names[i]) + " is in two of .numbers, .categories and .dates",
          "name it in one of them");
    w.max_categories = static_cast<int>(
        std::min(w.target ? most_target_classes : options.max_categories, most_categories));
    w.missing_is_a_fault = options.missing == Missing::error || w.target;
    if (!w.target || w.number || w.category || w.date) continue;
    w.category = options.task == Task::classification;
    w.number = options.task == Task::regression;
    w.maybe_classes = options.task == Task::automatic;
  }
  return wanted;
}

[[noreturn]] void fail_mistaken(const CsvTable& table, const ColumnScan& column, size_t i) {
  const CsvPlace& place = column.first_text().place;
  const auto source = table.layout.inputs[place.file]->from(0);
  const std::string name = shown_cell(table.layout.names[i]);
  const std::string kind = column.has_dates() ? "date" : "number";
  throw_data({source->where(),
              "found " + shown_cell(column.first_text().text) + "; expected a " + kind +
                  ", as in " + counted(column.regular(), "other cell") + " of the column",
              {{"file", source->file()},
               {"line", std::to_string(place.line)},
               {"column", std::to_string(i + 1) + ", " + name}},
              "mend the cell, add it to .missing_values, or say .categories = {" + name +
                  "} where the " + kind + "s are names"});
}

}  // namespace

void infer_table(CsvTable& table, const CsvOptions& options, const std::string& where) {
  Preprocessing& kept = table.preprocessing;
  kept.header = table.layout.header;
  kept.delimiter = table.layout.dialect.delimiter;
  kept.quote = options.quote;
  kept.decimal = options.decimal;
  kept.missing = options.missing;
  kept.missing_values = options.missing_values;
  kept.normalize = options.normalize;
  kept.normalize_target = options.normalize_target;
  kept.encode = options.encode;
  kept.date_features = options.date_features;
  kept.date_format = options.date_format;
  auto wanted = wanted_columns(table.layout, options, where);
  // Where text comes after numbers, a second pass counts what the first one passed over.
  for (bool again = true; again;) {
    again = false;
    auto columns = FirstPass(table, wanted, options.missing == Missing::drop).run();
    for (size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].mistaken()) fail_mistaken(table, columns[i], i);
      if (columns[i].mixed()) again = wanted[i].category = true;
    }
    if (!again) kept.columns.resize(columns.size());
    for (size_t i = 0; i < kept.columns.size(); ++i) {
      kept.columns[i].name = table.layout.names[i];
      kept.columns[i].role = wanted[i].role();
      columns[i].describe(kept.columns[i]);
    }
  }
  if (table.rows == 0)
    Columns(table.layout, where)
        .fail(table.dropped > 0 ? "all " + counted(table.dropped, "row") + " have a missing cell"
                                : "there are no rows below the header; expected at least one",
              table.dropped > 0
                  ? "leave columns with few values out by .ignore, or fill them: .missing = "
                    "data::Missing::mean"
                  : "add rows; .header = data::Header::no where the first row is data");
}

}  // namespace goneuron::data
