#include "cli/predict_output.h"

#include <fmt/format.h>

#include <cmath>

#include "goneuron/csv.h"
#include "io/json_text.h"

namespace goneuron::cli {
namespace {

std::string number(double value) { return fmt::format("{}", static_cast<float>(value)); }

std::string class_name(const Run& run, i64 index) {
  return index < static_cast<i64>(run.classes.size()) ? run.classes[static_cast<size_t>(index)]
                                                      : std::to_string(index);
}

void add_class_columns(PredictionTable& table, const Run& run, i64 classes, bool all) {
  table.names.insert(table.names.end(), {"prediction", "probability"});
  table.number.insert(table.number.end(), {run.classes.empty(), true});
  for (i64 c = 0; all && c < classes; ++c) {
    table.names.push_back("p_" + class_name(run, c));
    table.number.push_back(true);
  }
}

void add_class(std::vector<std::string>& row, const Run& run, const Tensor& outputs, i64 i,
               bool all) {
  const i64 classes = outputs.shape()[-1];
  i64 best = 0;
  for (i64 c = 1; c < classes; ++c)
    if (outputs.at({i, c}) > outputs.at({i, best})) best = c;
  row.push_back(class_name(run, best));
  row.push_back(number(outputs.at({i, best})));
  for (i64 c = 0; all && c < classes; ++c) row.push_back(number(outputs.at({i, c})));
}

void add_yes_or_no(std::vector<std::string>& row, const Run& run, double yes) {
  const bool is = yes > 0.5;
  row.push_back(class_name(run, is ? 1 : 0));
  row.push_back(number(is ? yes : 1 - yes));
}

/// The targets' names and how their numbers become the targets' own, where the data is a table.
struct Numbers {
  std::vector<std::string> names;
  bool restores = false;  // into the targets' own units
  data::Preprocessing table;
};
Numbers numbers_of(const Run& run, i64 width) {
  Numbers out;
  if (!run.preprocessing.empty()) {
    out.table = data::Preprocessing::from_json(run.preprocessing);
    const auto targets = out.table.with_role(data::ColumnRole::target);
    if (static_cast<i64>(targets.size()) == width)
      for (const int column : targets)
        out.names.push_back(out.table.columns[static_cast<size_t>(column)].name);
    out.restores = !out.names.empty();
  }
  for (i64 k = static_cast<i64>(out.names.size()); k < width; ++k)
    out.names.push_back(width == 1 ? "prediction" : "output_" + std::to_string(k));
  return out;
}

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

}  // namespace

PredictionTable prediction_table(const Run& run, const Tensor& given,
                                 const std::vector<std::string>& labels, bool all) {
  const i64 count = given.shape()[0], width = count > 0 ? given.size() / count : 0;
  const Tensor outputs = given.reshape({count, width});
  const Answer answer = answer_of(run);
  PredictionTable table;
  if (!labels.empty()) table.names.emplace_back("input"), table.number.push_back(false);
  Numbers numbers;
  if (answer == Answer::one_class || answer == Answer::yes_or_no) {
    add_class_columns(table, run, answer == Answer::one_class ? width : 0, all);
  } else {
    numbers = numbers_of(run, width);
    table.names.insert(table.names.end(), numbers.names.begin(), numbers.names.end());
    table.number.resize(table.names.size(), true);
  }
  for (i64 i = 0; i < count; ++i) {
    std::vector<std::string>& row = table.cells.emplace_back();
    if (!labels.empty()) row.push_back(labels[static_cast<size_t>(i)]);
    if (answer == Answer::one_class) {
      add_class(row, run, outputs, i, all);
    } else if (answer == Answer::yes_or_no) {
      add_yes_or_no(row, run, outputs.at({i, 0}));
    } else {
      for (i64 k = 0; k < width; ++k) {
        const double value = outputs.at({i, k});
        row.push_back(
            number(numbers.restores ? numbers.table.restored(static_cast<int>(k), value) : value));
      }
    }
  }
  return table;
}

std::string as_csv(const PredictionTable& table) {
  std::string text;
  const auto line = [&](const std::vector<std::string>& cells) {
    for (size_t c = 0; c < cells.size(); ++c) text += (c > 0 ? "," : "") + csv_cell(cells[c]);
    text += "\n";
  };
  line(table.names);
  for (const auto& row : table.cells) line(row);
  return text;
}

std::string as_json(const PredictionTable& table) {
  std::string text = "[";
  for (size_t i = 0; i < table.cells.size(); ++i) {
    text += i > 0 ? ",\n {" : "\n {";
    for (size_t c = 0; c < table.names.size(); ++c) {
      const std::string& cell = table.cells[i][c];
      const bool finite = cell != "nan" && cell != "inf" && cell != "-inf" && cell != "-nan";
      text += (c > 0 ? ", " : "") + json_quote(table.names[c]) + ": " +
              (!table.number[c] ? json_quote(cell)
               : finite         ? cell
                                : "null");
    }
    text += "}";
  }
  return text + "\n]\n";
}

}  // namespace goneuron::cli
