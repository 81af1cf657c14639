#include "io/preprocessing_json.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <unordered_set>

#include "core/message.h"
#include "data/csv_cell.h"
#include "data/csv_infer.h"

namespace goneuron {

namespace {

using namespace data;

constexpr i64 format = 1;
constexpr size_t most_texts = 10'000;  // categories of a column, and missing values

constexpr const char* kinds[] = {"number", "category", "date", "text"};
constexpr const char* roles[] = {"input", "target", "ignored"};
constexpr const char* missings[] = {"mean", "drop", "error"};
constexpr const char* scales[] = {"standard", "minmax", "none"};
constexpr const char* encodings[] = {"one_hot", "index"};
constexpr const char* date_names[] = {"days", "month", "day", "weekday", "hour"};

template <class Enum>
std::string name_of(std::span<const char* const> names, Enum value) {
  return json_quote(names[static_cast<size_t>(value)]);
}

template <class Enum>
Enum read_enum(JsonReader& json, std::span<const char* const> names) {
  const size_t at = json.position();
  const std::string text = json.string();
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) json.fail_at(at, shown(text) + " is not one of the names known");
  return static_cast<Enum>(found - names.begin());
}

char read_char(JsonReader& json, const char* name) {
  const size_t at = json.member(name).position();
  const std::string text = json.string();
  if (text.size() != 1) json.fail_at(at, shown(text) + ", expected one character");
  return text[0];
}

double read_finite(JsonReader& json, const char* name) {
  const size_t at = json.member(name).position();
  const double value = json.real();
  if (!std::isfinite(value)) json.fail_at(at, "a number that is not finite");
  return value;
}

std::vector<std::string> read_texts(JsonReader& json, const char* name, bool different) {
  std::vector<std::string> texts;
  std::unordered_set<std::string> seen;
  json.member(name).begin('[');
  while (json.more()) {
    if (texts.size() == most_texts) json.fail("more than 10000 texts");
    const size_t at = json.position();
    texts.push_back(json.string());
    if (different && !seen.insert(texts.back()).second)
      json.fail_at(at, shown(texts.back()) + " comes twice");
  }
  return texts;
}

std::string texts_json(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ",") + json_quote(text);
  return "[" + out + "]";
}

std::string column_json(const TableColumn& column) {
  return "{\"name\":" + json_quote(column.name) + ",\"kind\":" + name_of(kinds, column.kind) +
         ",\"role\":" + name_of(roles, column.role) + ",\"mean\":" + json_real(column.mean) +
         ",\"deviation\":" + json_real(column.deviation) + ",\"min\":" + json_real(column.min) +
         ",\"max\":" + json_real(column.max) + ",\"missing\":" + std::to_string(column.missing) +
         ",\"categories\":" + texts_json(column.categories) + "}";
}

TableColumn read_column(JsonReader& json) {
  TableColumn column;
  json.begin('{');
  column.name = json.member("name").string();
  const size_t at = json.member("kind").position();
  column.kind = read_enum<ColumnKind>(json, kinds);
  column.role = read_enum<ColumnRole>(json.member("role"), roles);
  column.mean = read_finite(json, "mean");
  column.deviation = read_finite(json, "deviation");
  column.min = read_finite(json, "min");
  column.max = read_finite(json, "max");
  column.missing = json.member("missing").integer(0, INT64_MAX, "the missing cells");
  column.categories = read_texts(json, "categories", true);
  if (!column.categories.empty() && column.kind != ColumnKind::category)
    json.fail_at(at, "a column of this kind has " +
                         counted(static_cast<i64>(column.categories.size()), "categories"));
  json.end();
  return column;
}

void read_columns(JsonReader& json, Preprocessing& out) {
  std::unordered_set<std::string> seen;
  json.member("columns").begin('[');
  while (json.more()) {
    if (static_cast<i64>(out.columns.size()) == csv_max_columns)
      json.fail("more columns than can be");
    const size_t at = json.position();
    out.columns.push_back(read_column(json));
    if (!seen.insert(out.columns.back().name).second)
      json.fail_at(at, "two columns are named " + shown(out.columns.back().name));
  }
}

/// The rules that options are held to.
void check_marks(JsonReader& json, size_t at, const Preprocessing& out) {
  CsvOptions options;
  options.delimiter = out.delimiter;
  options.quote = out.quote;
  options.decimal = out.decimal;
  options.date_format = out.date_format;
  options.date_features = out.date_features;
  try {
    check_options(options, "the preprocessing");
  } catch (const DataError& error) {
    std::string why = error.what();
    std::replace(why.begin(), why.end(), '\n', ';');
    json.fail_at(at, why);
  }
}

}  // namespace

data::Preprocessing read_preprocessing(JsonReader& json) {
  Preprocessing out;
  const size_t start = json.position();
  json.begin('{');
  const size_t at = json.member("format").position();
  if (const i64 found = json.integer(); found != format)
    json.fail_at(at, "the format is " + std::to_string(found) + ", expected " +
                         std::to_string(format) + ", the newest that this version reads");
  out.header = json.member("header").boolean();
  out.delimiter = read_char(json, "delimiter");
  out.quote = read_char(json, "quote");
  out.decimal = read_char(json, "decimal");
  out.missing = read_enum<Missing>(json.member("missing"), missings);
  out.missing_values = read_texts(json, "missing_values", false);
  out.normalize = read_enum<Normalize>(json.member("normalize"), scales);
  out.normalize_target = json.member("normalize_target").boolean();
  out.encode = read_enum<Encode>(json.member("encode"), encodings);
  json.member("date_features").begin('[');
  while (json.more()) {
    if (out.date_features.size() == most_texts) json.fail("more date features than can be");
    out.date_features.push_back(read_enum<DateFeature>(json, date_names));
  }
  out.date_format = json.member("date_format").string();
  check_marks(json, start, out);
  read_columns(json, out);
  json.end();
  return out;
}

namespace data {

std::string Preprocessing::json() const {
  for (const TableColumn& column : columns) {
    bool valid = is_utf8(column.name);
    for (const std::string& text : column.categories) valid &= is_utf8(text);
    if (!valid)
      throw_data({user_place("Preprocessing::json", {}),
                  "a name or category of the column " + shown_cell(column.name) + " is no UTF-8",
                  {},
                  "JSON is UTF-8: convert the texts before they are set"});
  }
  std::string dates, list;
  for (const DateFeature feature : date_features)
    dates += (dates.empty() ? "" : ",") + name_of(goneuron::date_names, feature);
  for (const TableColumn& column : columns) list += (list.empty() ? "" : ",") + column_json(column);
  return "{\"format\":" + std::to_string(format) + ",\"header\":" + (header ? "true" : "false") +
         ",\"delimiter\":" + json_quote(std::string(1, delimiter)) +
         ",\"quote\":" + json_quote(std::string(1, quote)) +
         ",\"decimal\":" + json_quote(std::string(1, decimal)) +
         ",\"missing\":" + name_of(missings, missing) +
         ",\"missing_values\":" + texts_json(missing_values) +
         ",\"normalize\":" + name_of(scales, normalize) +
         ",\"normalize_target\":" + (normalize_target ? "true" : "false") +
         ",\"encode\":" + name_of(encodings, encode) + ",\"date_features\":[" + dates +
         "],\"date_format\":" + json_quote(date_format) + ",\"columns\":[" + list + "]}";
}

Preprocessing Preprocessing::from_json(const std::string& text, Site site) {
  JsonReader json(text, user_place("Preprocessing::from_json", site));
  Preprocessing out = read_preprocessing(json);
  json.finish();
  return out;
}

}  // namespace data

}  // namespace goneuron
