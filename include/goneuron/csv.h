// CSV files as data sets, and what turns their rows into a model's input: the preprocessing, a
// value that is kept with the model, so that it predicts from raw rows.
// Used by programs that train on tables, and by the goneuron program.
#pragma once

#include "goneuron/dataset.h"

namespace goneuron::data {

/// A column by its name or its index from 0; a negative index counts from the end: -1 is the last.
/// Without a header the names are column_1, column_2, ..
struct ColumnRef {
  ColumnRef(const char* name) : name(name) {}         // NOLINT: converts
  ColumnRef(const std::string& name) : name(name) {}  // NOLINT: converts
  ColumnRef(int index) : index(index) {}              // NOLINT: converts
  std::string name;
  i64 index = 0;  ///< where there is no name
};
/// "price", -1, or a list of such: {"price", 3}.
struct ColumnList {
  ColumnList() = default;
  ColumnList(const char* name);                       // NOLINT: converts
  ColumnList(const std::string& name);                // NOLINT: converts
  ColumnList(int index);                              // NOLINT: converts
  ColumnList(std::initializer_list<ColumnRef> list);  // NOLINT: converts
  ColumnList(const std::vector<ColumnRef>& list);     // NOLINT: converts
  ColumnList(const std::vector<std::string>& names);  // NOLINT: converts
  std::vector<ColumnRef> columns;
};

/// "a.csv", or several: {"a.csv", "b.csv"}.
struct Files {
  Files(const char* path);                         // NOLINT: converts
  Files(const std::string& path);                  // NOLINT: converts
  Files(std::initializer_list<std::string> list);  // NOLINT: converts
  Files(const std::vector<std::string>& list);     // NOLINT: converts
  std::vector<std::string> paths;
};

/// What the cells of a column are.
enum class ColumnKind : std::uint8_t {
  number,
  category,  ///< text of few different values
  date,
  text,  ///< more values than CsvOptions::max_categories: of no use as an input
};
enum class ColumnRole : std::uint8_t { input, target, ignored };
/// What becomes of a row with a missing cell.
enum class Missing : std::uint8_t {
  mean,   ///< a number or date is the column's mean, a category none of those known
  drop,   ///< the row is left out
  error,  ///< DataError
};
/// How numbers and dates are brought to one scale.
enum class Normalize : std::uint8_t {
  standard,  ///< (value - mean) / standard deviation, that of the rows read
  minmax,    ///< (value - min) / (max - min)
  none,
};
enum class Encode : std::uint8_t {
  one_hot,  ///< one input for each category, 1 or 0; all are 0 for one that was never seen
  index,    ///< one input: 1, 2, .. in the order of the categories; 0 for one that was never seen
};
/// What the target is. Automatic: classes, where it is text or has at most 20 different whole
/// numbers, each in two rows or more; else a number.
enum class Task : std::uint8_t { automatic, classification, regression };
enum class Header : std::uint8_t { automatic, yes, no };
/// An input, or two, made of a date.
enum class DateFeature : std::uint8_t {
  days,     ///< since 1970-01-01, with the time as a fraction, normalised like a number
  month,    ///< sine and cosine of its place in the year
  day,      ///< of its place in the month
  weekday,  ///< of its place in the week
  hour,     ///< of the time's place in the day
};

/// The most that a file may hold; what is larger is refused. Reading takes at most twice the text
/// and what comes of it (the numbers, and the columns' names, statistics and categories) and 1 MiB.
/// What stays in the file is bounded by its blocks: see CsvOptions::memory.
inline constexpr i64 csv_max_columns = 65'536;
inline constexpr i64 csv_max_cell = i64{1} << 20;  ///< bytes of a cell
inline constexpr i64 csv_max_row = i64{1} << 24;   ///< bytes of a row

struct CsvOptions {
  /// What is to be predicted; needed. Classes are i32 [rows] each; numbers are f32 [rows, targets]
  /// together, unless there are classes among the targets: then each is a tensor of its own.
  /// Targets stand in the order of the file.
  ColumnList target = {};
  ColumnList ignore = {};  ///< columns that are not used
  ColumnList inputs = {};  ///< only these are used; empty: all that are neither target nor ignored
  /// Kinds are inferred from all rows; these say them. Numbers given as categories are encoded as
  /// such.
  ColumnList numbers = {}, categories = {}, dates = {};
  Task task = Task::automatic;
  char delimiter = '\0';  ///< '\0': the one of , ; tab | that splits the first rows alike
  char quote = '"';
  char decimal = '.';  ///< ',' for numbers such as 3,14
  /// Automatic: the first row is names when none of its cells is empty, a number or a date, and no
  /// two are alike.
  Header header = Header::automatic;
  /// Of inputs. A row without a target is dropped by `drop`, and refused by the others.
  Missing missing = Missing::mean;
  /// Cells that are missing; blanks around a cell never count.
  std::vector<std::string> missing_values = {"",     "NA",   "N/A",  "NaN", "nan",
                                             "null", "NULL", "None", "?"};
  Normalize normalize = Normalize::standard;
  bool normalize_target = false;  ///< of numbers; predict_rows() turns predictions back
  Encode encode = Encode::one_hot;
  std::vector<DateFeature> date_features = {DateFeature::days};
  /// "YYYY-MM-DD", "DD.MM.YYYY", "MM/DD/YYYY", ..: years, months and days in this order, with any
  /// mark between them; a time may follow after a blank or T: 23:59, :59, .5 and Z or +01:00.
  /// Empty: YYYY-MM-DD or YYYY/MM/DD.
  std::string date_format = {};
  i64 max_categories = 100;  ///< of an input; a target may have 10 000
  /// Bytes that the decoded data may take to be held as tensors; above, rows are parsed when they
  /// are needed, with few blocks of them in memory.
  i64 memory = i64{1} << 30;
  i64 block = 4096;  ///< rows that are parsed together then
};

/// A column of a table, with what was learned about it from all rows.
struct TableColumn {
  std::string name;
  ColumnKind kind = ColumnKind::number;
  ColumnRole role = ColumnRole::input;
  /// Of numbers, and of dates in days since 1970-01-01, over the cells that are not missing; the
  /// deviation is that of the population, sqrt(mean((x - mean)^2)).
  double mean = 0, deviation = 0, min = 0, max = 0;
  i64 missing = 0;                      ///< cells
  std::vector<std::string> categories;  ///< sorted: by value where all are numbers, else by bytes
};

/// What turns a raw row into a model's input: kept with the model, and written as JSON.
struct Preprocessing {
  Preprocessing() = default;  // so that {.missing = ..} can only mean CsvOptions

  std::vector<TableColumn> columns;  ///< those of the file, in its order
  bool header = true;                ///< the file began with the names
  char delimiter = ',', quote = '"', decimal = '.';
  Missing missing = Missing::mean;
  std::vector<std::string> missing_values;
  Normalize normalize = Normalize::standard;
  bool normalize_target = false;
  Encode encode = Encode::one_hot;
  std::vector<DateFeature> date_features;
  std::string date_format;

  /// Width of the model's input; a name for each of its numbers: "rooms", "city=Rome",
  /// "day.month.sin".
  i64 features() const;
  std::vector<std::string> feature_names() const;
  /// Columns with that role, as places in `columns`.
  std::vector<int> with_role(ColumnRole role) const;
  /// True when the targets are one tensor of numbers.
  bool joined_targets() const;

  /// Rows of cells -> [rows, features] f32. A row has a cell for every column of the file, for all
  /// but the targets, or for the inputs only. Missing cells are filled as `missing` says, `drop`
  /// like `mean`. Throws DataError naming row and column.
  Tensor inputs(const std::vector<std::vector<std::string>>& rows, Site site = Site::here()) const;
  /// The same of CSV text. Where its first row is names of columns, they say which cell is which,
  /// in any order; targets and ignored columns may be left out, and others may stand there.
  Tensor inputs_of_csv(const std::string& text, Site site = Site::here()) const;
  /// Numbers predicted for `target`, one of with_role(target), in the target's own unit again.
  double restored(int target, double predicted, Site site = Site::here()) const;

  /// One line of JSON. Throws DataError where a name is not UTF-8.
  std::string json() const;
  /// Throws FormatError, naming the byte, for anything that json() would not write.
  static Preprocessing from_json(const std::string& text, Site site = Site::here());
};

/// A table as a data set.
struct Table {
  Dataset data;
  Preprocessing preprocessing;
  i64 rows = 0, dropped = 0;  ///< of the data set; left out beside them, for a missing cell
  bool in_memory = true;
  /// A line for each column: name, kind, range or categories, missing cells.
  std::string str() const;
  operator Dataset() const { return data; }  // NOLINT: converts
};

/// A CSV file (RFC 4180; any delimiter, LF or CRLF, UTF-8 with or without BOM, plain or gzip) as x
/// [rows, features] f32 and the targets. All rows are read once before, in bounded memory, for
/// kinds, statistics and categories. Throws FormatError for a file that is no such CSV, and
/// DataError for rows and cells that do not fit, naming file, line and column.
/// Several files are read as one; their headers must be alike.
Table csv(const Files& files, const CsvOptions& options, Site site = Site::here());
/// As another file was read: a test set with the statistics and categories of the training data.
/// Its inputs and targets are found by their names, in any order and among others; without a header
/// the columns must be as many, in the same order. Of `options`, `memory` and `block` count.
Table csv(const Files& files, const Preprocessing& like, const CsvOptions& options = {},
          Site site = Site::here());
/// The columns of a file without a data set: kinds, statistics and categories. No target is needed,
/// and columns of kind `text` are allowed.
Preprocessing csv_columns(const Files& files, const CsvOptions& options = {},
                          Site site = Site::here());

}  // namespace goneuron::data
