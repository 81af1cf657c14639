// ColumnScan: what is learned about one column, cell by cell. Used by the first pass over a table.
#pragma once

#include <cmath>
#include <limits>
#include <memory>
#include <string>

#include "data/csv_cell.h"
#include "data/csv_labels.h"
#include "data/csv_rows.h"

namespace goneuron::data {

/// Sums of a batch of numbers around one that is near their mean.
struct BatchSums {
  double shift = 0, count = 0, sum = 0, squares = 0;
  double min = std::numeric_limits<double>::infinity();
  double max = -std::numeric_limits<double>::infinity();
};

/// Count, mean and variance of numbers that come in batches, merged as of Chan, Golub and LeVeque
/// 1979.
class Moments {
 public:
  void merge(const BatchSums& batch);
  i64 count() const { return static_cast<i64>(count_); }
  double mean() const { return mean_; }
  double deviation() const { return count_ > 0 ? std::sqrt(m2_ / count_) : 0; }
  double min() const { return min_; }
  double max() const { return max_; }

 private:
  double count_ = 0, mean_ = 0, m2_ = 0;
  double min_ = std::numeric_limits<double>::infinity();
  double max_ = -std::numeric_limits<double>::infinity();
};

/// Tables may have thousands of columns: what only some of them need is held apart.
class ColumnScan {
 public:
  enum class Mode : std::uint8_t { ignored, numbers, dates, texts, mixed, many };
  /// What the options say about the column.
  struct Wanted {
    bool ignored = false, target = false;
    bool number = false, category = false, date = false;
    bool maybe_classes = false;       // whole numbers may be classes
    bool missing_is_a_fault = false;  // here
    int max_categories = 100;
    ColumnRole role() const {
      return ignored ? ColumnRole::ignored : target ? ColumnRole::target : ColumnRole::input;
    }
  };
  struct FirstText {
    std::string text;
    CsvPlace place;
  };

  /// Keeps `wanted`.
  explicit ColumnScan(const Wanted& wanted);

  /// Throws CellFault, without its column.
  void add(const char* begin, const char* end, const CellRules& rules, const CsvRows& rows,
           std::string& scratch);
  /// Every cell that is a plain number may be added by merge() instead.
  bool plain() const { return mode_ == Mode::numbers && !labels_wanted_; }
  void merge(const BatchSums& batch) { moments_.merge(batch); }
  double center() const { return moments_.mean(); }

  bool used() const { return mode_ != Mode::ignored; }
  const Wanted& wanted() const { return *wanted_; }
  /// Text came after numbers or dates: the categories among them were not counted.
  bool mixed() const { return mode_ == Mode::mixed; }
  /// Fewer than one in ten cells are text, among numbers or dates: a mistake rather than
  /// categories.
  bool mistaken() const;
  const FirstText& first_text() const { return texts_->first; }
  /// Cells that are numbers (or dates, in a column of those).
  i64 regular() const { return (texts_ ? texts_->numbers : 0) + moments_.count(); }
  bool has_dates() const { return has_dates_; }
  /// Kind, statistics and categories; name and role are set already. The scan is done with then.
  void describe(TableColumn& column);

 private:
  struct Texts {
    Labels labels;
    i64 numbers = 0, count = 0;  // numbers among them, the others
    FirstText first;
  };

  void add_number(const Cell& cell);
  void add_text(const Cell& cell, const CellRules& rules, const CsvRows& rows);
  void add_value(double value);
  void add_label(std::string_view text);
  bool labels_are_classes() const;
  Texts& texts() {
    if (!texts_) texts_ = std::make_unique<Texts>();
    return *texts_;
  }

  const Wanted* wanted_;
  Mode mode_ = Mode::numbers;
  bool labels_wanted_ = false, has_dates_ = false;
  i64 missing_ = 0;
  Moments moments_;
  std::unique_ptr<Texts> texts_;
};

}  // namespace goneuron::data
