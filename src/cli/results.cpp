#include "cli/results.h"

#include <fmt/format.h>

#include <cmath>

#include "config/build.h"
#include "goneuron/csv.h"
#include "goneuron/device.h"
#include "train/callbacks/report_samples.h"

namespace goneuron::cli {

std::string numbers_text(const Logs& logs) {
  std::string text;
  for (size_t i = 0; i < logs.names.size() && i < logs.values.size(); ++i) {
    const double value = logs.values[i];
    const bool small = value != 0 && std::fabs(value) < 1e-3;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", logs.names[i],
                        small ? fmt::format("{:.3e}", value) : fmt::format("{:.4f}", value));
  }
  return text;
}

namespace {
std::string column_text(const data::TableColumn& column) {
  switch (column.kind) {
    case data::ColumnKind::number:
      return fmt::format("number    {:.6g} to {:.6g}, mean {:.6g}", column.min, column.max,
                         column.mean);
    case data::ColumnKind::date:
      return fmt::format("date      {} days from first to last",
                         std::lround(column.max - column.min));
    case data::ColumnKind::category: {
      const auto count = static_cast<i64>(column.categories.size());
      const auto first = column.categories.begin();
      return fmt::format("category  {}: {}{}", count,
                         fmt::join(first, first + std::min<i64>(5, count), ", "),
                         count > 5 ? ", .." : "");
    }
    case data::ColumnKind::text:
      break;
  }
  return "text      of no use as an input";
}
}  // namespace

std::string columns_text(const data::Preprocessing& table) {
  std::string text;
  size_t width = 6;
  for (const data::TableColumn& column : table.columns)
    width = std::max(width, std::min<size_t>(column.name.size(), 30));
  for (const data::TableColumn& column : table.columns) {
    const bool ignored = column.role == data::ColumnRole::ignored;
    std::string what = ignored ? "left out" : column_text(column);
    if (column.role == data::ColumnRole::target) what += "; the target";
    if (column.missing > 0) what += fmt::format("; {} missing", grouped(column.missing));
    text += fmt::format("{}  {:<{}}  {}", text.empty() ? "" : "\n", column.name, width, what);
  }
  return text;
}

std::string own_unit_text(const std::string& preprocessing, const Logs& logs) {
  if (preprocessing.empty() || preprocessing[0] != '{') return "";
  const auto table = data::Preprocessing::from_json(preprocessing);
  const auto targets = table.with_role(data::ColumnRole::target);
  if (!table.normalize_target || targets.size() != 1) return "";
  const double unit = table.restored(0, 1) - table.restored(0, 0);
  for (const char* name : {"mean_absolute_error", "mae", "root_mean_squared_error", "rmse"})
    if (logs.has(name))
      return fmt::format(" ({} {:.6g} in the unit of {})", name, std::fabs(unit) * logs[name],
                         table.columns[static_cast<size_t>(targets[0])].name);
  return "";
}

std::string time_text(double seconds) {
  if (seconds < 10) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<i64>(seconds + 0.5);
  return whole >= 3600 ? fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
                       : fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string grouped(i64 number) {
  std::string digits = std::to_string(number);
  for (auto at = static_cast<i64>(digits.size()) - 3; at > (number < 0 ? 1 : 0); at -= 3)
    digits.insert(static_cast<size_t>(at), ",");
  return digits;
}

std::string sample_text(const Dataset& data) {
  return data.x_shape().str() + " " + dtype_name(data.x_dtype());
}

void write_run_report(const Run& run, const config::Loaded& data, const Dataset& judged,
                      const std::string& part, const Logs& logs) {
  Report report;
  report.title = run.folder.path;
  report.subtitle = fmt::format("{} weights, trained on {} samples.",
                                grouped(run.model.parameters()), grouped(data.train.size()));
  for (size_t i = 0; i < logs.names.size() && report.facts.size() < 4; ++i)
    report.facts.emplace_back(logs.names[i] + ", " + part, fmt::format("{:.4f}", logs.values[i]));
  report.history = History::load_json(run.folder.history_json(), {});
  report.facts.emplace_back("epochs", std::to_string(report.history.epochs.size()));
  report.facts.emplace_back("samples, " + part, grouped(judged.size()));
  report.class_names = run.classes;
  add_predictions(report, run.model, judged, 60, "samples of the " + part + " data");
  report.listings = {{"Model", run.model.summary(32, {})}, {"Config", run.config.text()}};
  if (!data.facts.empty()) report.listings.insert(report.listings.begin(), {"Data", data.facts});
  write_report(run.folder.report(), report);
}

}  // namespace goneuron::cli
