// Configs for tables.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "cli/init.h"
#include "cli/results.h"
#include "core/message.h"
#include "goneuron/csv.h"

namespace goneuron::cli {
namespace {
using config::Value;

/// A power of two near twice the inputs, from 16 to 256.
i64 width_for(i64 features) {
  i64 width = 16;
  while (width < 256 && width < 2 * features) width *= 2;
  return width;
}

i64 batch_for(i64 rows) { return rows < 20'000 ? 32 : rows < 200'000 ? 128 : 512; }
/// Enough for a small table to settle; EarlyStopping ends it before.
i64 epochs_for(i64 rows) { return rows < 20'000 ? 200 : rows < 200'000 ? 50 : 10; }

/// Columns that only number the rows: called id, or counting up by one from row to row.
std::vector<std::string> row_numbers(const data::Table& table) {
  std::vector<std::string> names;
  for (const data::TableColumn& column : table.preprocessing.columns) {
    if (column.role != data::ColumnRole::input || column.kind != data::ColumnKind::number) continue;
    std::string name = column.name;
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    const bool called = name == "id" || name.ends_with("_id") || name == "index";
    const bool counts = column.missing == 0 &&
                        column.max - column.min + 1 == static_cast<double>(table.rows) &&
                        2 * column.mean == column.min + column.max;
    if (called || counts) names.push_back(column.name);
  }
  return names;
}

std::string last_column(const std::string& path) {
  const data::Preprocessing columns = data::csv_columns(path, {}, {});
  if (columns.columns.empty())
    throw_data({.where = path,
                .what = "there are no columns; expected at least two",
                .hint = "give a table"});
  return columns.columns.back().name;
}

std::string class_text(const data::TableColumn& column) {
  std::string text = fmt::format("{} classes", column.categories.size());
  if (column.categories.size() <= 6)
    text += ": " + fmt::format("{}", fmt::join(column.categories, ", "));
  return text;
}

}  // namespace

Draft draft_for_table(const std::string& path, const InitOptions& options) {
  const std::string target = options.target.empty() ? last_column(path) : options.target;
  data::Table table = data::csv(path, {.target = {target}}, {});
  const std::vector<std::string> ignored = row_numbers(table);
  if (!ignored.empty()) table = data::csv(path, {.target = {target}, .ignore = ignored}, {});
  const data::Preprocessing& how = table.preprocessing;
  const data::TableColumn& goal =
      how.columns[static_cast<size_t>(how.with_role(data::ColumnRole::target).at(0))];
  const bool classes = goal.kind == data::ColumnKind::category;
  const i64 rows = table.rows - table.dropped, width = width_for(how.features());

  std::vector<Value> source = {option("path", path), option("target", target)};
  if (!ignored.empty()) {
    std::vector<Value> names;
    for (const std::string& name : ignored) names.push_back(config::scalar(name));
    source.push_back(config::member("ignore", config::list_of(names)));
  }
  if (!classes) source.push_back(option("normalize_target", "true"));
  const auto dense = [](i64 units, const char* activation) {
    return object("Dense",
                  {option("units", std::to_string(units)), option("activation", activation)});
  };
  std::vector<Value> layers = {dense(width, "relu"), dense(width, "relu")};
  if (rows < 20'000) layers.insert(layers.begin() + 1, object("Dropout", {option("rate", "0.1")}));
  layers.push_back(classes ? dense(static_cast<i64>(goal.categories.size()), "softmax")
                           : object("Dense", {option("units", "1")}));
  std::vector<Value> metrics = {config::scalar(classes ? "accuracy" : "mae")};
  if (!classes) metrics.push_back(config::scalar("r2_score"));
  Draft draft;
  draft.name = goal.name;
  draft.about = fmt::format("{}: {} rows, {} columns -> {} inputs; {} is {}\n{}", path, table.rows,
                            how.columns.size(), how.features(), goal.name,
                            classes ? class_text(goal) : "a number", columns_text(how));
  draft.root = draft_root(
      object("csv", source), config::map_of({option("validation", "0.1"), option("test", "0.1")}),
      layers, config::scalar(classes ? "cross_entropy" : "mse"), metrics,
      object("Adam", {option("learning_rate", "0.001")}), epochs_for(rows), batch_for(rows),
      {object("EarlyStopping", {option("monitor", "val_loss"), option("patience", "20"),
                                option("restore_best_weights", "true")})},
      draft.name);
  return draft;
}

}  // namespace goneuron::cli
