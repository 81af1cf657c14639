// Tables: CSV files.
#include "config/loaded.h"
#include "config/split.h"
#include "core/message.h"
#include "goneuron/csv.h"

namespace goneuron::config {
namespace {

constexpr const char* tasks[] = {"automatic", "classification", "regression"};
constexpr const char* headers[] = {"automatic", "yes", "no"};
constexpr const char* missings[] = {"mean", "drop", "error"};
constexpr const char* normalizes[] = {"standard", "minmax", "none"};
constexpr const char* encodes[] = {"one_hot", "index"};
constexpr const char* features[] = {"days", "month", "day", "weekday", "hour"};

constexpr Option texts(const char* key, const char* example, const char* meaning) {
  return {key, Type::texts, "[]", example, meaning};
}
constexpr Option options[] = {
    {"path", Type::texts, required, "houses.csv", "the file, or a list of files of one form"},
    {"target", Type::texts, required, "price", "what is to be predicted: columns, by name"},
    {"test", Type::texts, "[]", "houses-test.csv", "files to test on, of the same form"},
    texts("inputs", "[rooms, area]", "only these columns are used; empty: all others"),
    texts("ignore", "[id]", "columns that are not used"),
    texts("numbers", "[rooms]", "columns that are numbers, whatever they look like"),
    texts("categories", "[zip]", "columns that are categories, whatever they look like"),
    texts("dates", "[sold]", "columns that are dates"),
    {"task",
     Type::choice,
     "automatic",
     "regression",
     "what the target is; automatic: classes where it is text or has few whole numbers",
     {},
     tasks},
    {"header", Type::choice, "automatic", "no", "the first row is names", {}, headers},
    {"delimiter", Type::text, "", ";", "between cells; empty: found out; tab for tabs"},
    {"quote", Type::text, "\"", "'", "around cells with delimiters"},
    {"decimal", Type::text, ".", "','", "in numbers"},
    {"missing",
     Type::choice,
     "mean",
     "drop",
     "what becomes of rows with missing cells",
     {},
     missings},
    {"missing_values", Type::texts, "[\"\", NA, N/A, NaN, nan, \"null\", \"NULL\", None, \"?\"]",
     "[\"\", -]", "cells that are missing"},
    {"normalize",
     Type::choice,
     "standard",
     "minmax",
     "how numbers are brought to one scale",
     {},
     normalizes},
    {"normalize_target", Type::boolean, "false", "true",
     "the target, too, where it is a number; predict gives its own unit"},
    {"encode", Type::choice, "one_hot", "index", "what categories become", {}, encodes},
    {"date_features", Type::texts, "[days]", "[days, weekday]",
     "what dates become: days, month, day, weekday, hour"},
    {"date_format", Type::text, "", "DD.MM.YYYY", "empty: YYYY-MM-DD"},
    {"max_categories", Type::integer, "100", "1000", "of an input; more make it text",
     from_to(1, 1e6)},
    {"memory", Type::integer, "1073741824", "100000000",
     "bytes of decoded data to hold; above, rows are parsed when they are needed",
     from_to(0, 9007199254740992)},
    {"block", Type::integer, "4096", "1024", "rows that are parsed together then", from_to(1, 1e6)},
};

/// A column by its name, or by its place where it is a number and not in quotes.
data::ColumnList columns(const Options& o, const char* key) {
  const Value value = o.value(key);
  std::vector<data::ColumnRef> list;
  const auto add = [&](const Value& item) {
    i64 index = 0;
    if (!item.quoted && read_integer(item.text, index))
      list.emplace_back(static_cast<int>(index));
    else
      list.emplace_back(item.text);
  };
  if (value.is_scalar()) add(value);
  for (const Value& item : value.items) add(item);
  return {list};
}

/// One character; `none` where the text is empty.
char character(const Options& o, const char* key, char none) {
  const std::string text = o.text(key);
  if (text == "tab") return '\t';
  if (text.size() > 1)
    fail_at(o.value(key),
            std::string(key) + " is " + quoted_list({text}) + "; expected one character", {},
            "write tab for tabs");
  return text.empty() ? none : text[0];
}

std::vector<data::DateFeature> date_features(const Options& o) {
  std::vector<data::DateFeature> all;
  const std::vector<std::string> names(std::begin(features), std::end(features));
  for (const std::string& name : o.texts("date_features")) {
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end())
      fail_at(o.value("date_features"),
              "there is no date feature " + quoted_list({name}) + "; expected some of those below",
              {{"features", quoted_list(names)}}, "days is usual");
    all.push_back(static_cast<data::DateFeature>(at - names.begin()));
  }
  return all;
}

data::CsvOptions csv_options(const Options& o) {
  return {.target = columns(o, "target"),
          .ignore = columns(o, "ignore"),
          .inputs = columns(o, "inputs"),
          .numbers = columns(o, "numbers"),
          .categories = columns(o, "categories"),
          .dates = columns(o, "dates"),
          .task = static_cast<data::Task>(o.choice("task")),
          .delimiter = character(o, "delimiter", '\0'),
          .quote = character(o, "quote", '"'),
          .decimal = character(o, "decimal", '.'),
          .header = static_cast<data::Header>(o.choice("header")),
          .missing = static_cast<data::Missing>(o.choice("missing")),
          .missing_values = o.texts("missing_values"),
          .normalize = static_cast<data::Normalize>(o.choice("normalize")),
          .normalize_target = o.boolean("normalize_target"),
          .encode = static_cast<data::Encode>(o.choice("encode")),
          .date_features = date_features(o),
          .date_format = o.text("date_format"),
          .max_categories = o.integer("max_categories"),
          .memory = o.integer("memory"),
          .block = o.integer("block")};
}

/// The names of the classes, where the one target is classes.
std::vector<std::string> class_names(const data::Preprocessing& p) {
  const auto targets = p.with_role(data::ColumnRole::target);
  if (targets.size() != 1) return {};
  const data::TableColumn& column = p.columns[static_cast<size_t>(targets[0])];
  return column.kind == data::ColumnKind::category ? column.categories : std::vector<std::string>();
}

Loaded load_csv(const Options& o, const Split& split) {
  const data::CsvOptions how = csv_options(o);
  const std::string& kept = o.context().preprocessing;
  const std::vector<std::string> files = o.texts("path"), test_files = o.texts("test");
  const data::Table table =
      kept.empty()
          ? data::csv(files, how, o.site())
          : data::csv(files, data::Preprocessing::from_json(kept, o.site()), how, o.site());
  Dataset test;
  if (!test_files.empty()) test = data::csv(test_files, table.preprocessing, how, o.site()).data;
  Loaded out;
  out.classes = class_names(table.preprocessing);
  const Cut cut = cut_data(table.data, test, !out.classes.empty(), split, o.site());
  out.train = cut.train, out.validation = cut.validation, out.test = cut.test;
  out.preprocessing = table.preprocessing.json();
  out.facts = table.str();
  return out;
}

constexpr SourceRow sources_csv_rows[] = {
    {{"csv", "a table in a text file: numbers, categories, dates", options}, load_csv},
};

}  // namespace

std::span<const SourceRow> csv_sources() { return sources_csv_rows; }

}  // namespace goneuron::config
