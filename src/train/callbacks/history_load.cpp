// History::load_csv and load_json.
#include <charconv>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/message.h"
#include "goneuron/model.h"
#include "io/csv_text.h"

namespace goneuron {

namespace {

struct HistoryFile {
  std::string where, path;

  [[noreturn]] void fail(const std::string& what, const std::string& hint) const {
    throw_format({.where = where, .what = what, .lines = {{"file", path}}, .hint = hint});
  }
  std::string text() const {
    std::ifstream in(path, std::ios::binary);
    if (!in) fail("cannot open the file; expected a history", "check the path");
    std::string bytes{std::istreambuf_iterator<char>(in), {}};
    if (in.bad()) fail("cannot read the file", "check that it is a file on a disk that works");
    return bytes;
  }
};

constexpr const char* own_hint = "read files that History, CSVLogger or JSONLogger have written";

double number_of(const HistoryFile& file, size_t line, const std::string& field) {
  double value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  // What is too large or too small for a double was not written by one.
  if (error != std::errc() || end != field.data() + field.size())
    file.fail("line " + std::to_string(line) + " has \"" + field + "\"; expected a number",
              own_hint);
  return value;
}

double value_of(const nlohmann::ordered_json& value, const HistoryFile& file, size_t row,
                const std::string& name) {
  if (value.is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (!value.is_number())
    file.fail("\"" + name + "\" of row " + std::to_string(row + 1) + " is no number", own_hint);
  return value.get<double>();
}

/// One array, or an object a line.
nlohmann::ordered_json rows_of(const HistoryFile& file) {
  const std::string text = file.text();
  auto rows = nlohmann::ordered_json::parse(text, nullptr, false);
  if (rows.is_array()) return rows;
  rows = nlohmann::ordered_json::array();
  size_t line = 1;
  for (size_t at = 0; at < text.size(); ++line) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string one = text.substr(at, end - at);
    at = end + 1;
    if (one.empty()) continue;
    auto row = nlohmann::ordered_json::parse(one, nullptr, false);
    if (!row.is_object())
      file.fail("line " + std::to_string(line) + " is no JSON object", own_hint);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

History History::load_csv(const std::string& path, Site site) {
  const HistoryFile file{user_place("History::load_csv", site), path};
  std::vector<std::vector<std::string>> records;
  size_t line = 0;
  if (!csv_records(file.text(), records, line))
    file.fail("line " + std::to_string(line) + " has a quote that does not end, or text behind one",
              own_hint);
  if (records.empty() || records[0][0] != "epoch")
    file.fail("the first column is not \"epoch\"; expected a history", own_hint);
  const auto& names = records[0];
  History history;
  for (size_t r = 1; r < records.size(); ++r) {
    if (records[r].size() != names.size())
      file.fail("row " + std::to_string(r) + " has " +
                    counted(static_cast<i64>(records[r].size()), "field") + "; expected " +
                    std::to_string(names.size()),
                own_hint);
    Logs logs;
    for (size_t c = 1; c < names.size(); ++c) {
      if (records[r][c].empty()) continue;  // the epoch does not have it
      logs.names.push_back(names[c]);
      logs.values.push_back(number_of(file, r + 1, records[r][c]));
    }
    history.epochs.push_back(std::move(logs));
  }
  return history;
}

History History::load_json(const std::string& path, Site site) {
  const HistoryFile file{user_place("History::load_json", site), path};
  const auto rows = rows_of(file);
  History history;
  for (size_t r = 0; r < rows.size(); ++r) {
    if (!rows[r].is_object())
      file.fail("row " + std::to_string(r + 1) + " is no JSON object", own_hint);
    Logs logs;
    for (const auto& [name, value] : rows[r].items()) {
      if (name == "epoch") continue;
      logs.names.push_back(name);
      logs.values.push_back(value_of(value, file, r, name));
    }
    history.epochs.push_back(std::move(logs));
  }
  return history;
}

}  // namespace goneuron
