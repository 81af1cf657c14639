// RowDecoder: a row of cells as a model's input and targets, by a table's preprocessing.
// Used by data::csv, by its source, and by predictions from raw rows.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/csv_cell.h"

namespace goneuron::data {

class RowDecoder {
 public:
  /// One target tensor: f32 of so many numbers, or one i32 class.
  struct Target {
    bool classes = false;
    i64 width = 1;
  };

  /// Keeps `table`. `cells[i]` is the cell of a row that holds column i; empty: its number i.
  explicit RowDecoder(const Preprocessing& table, std::vector<int> cells = {});

  i64 features() const { return features_; }
  const std::vector<Target>& targets() const { return targets_; }
  int cell_of(int column) const {
    return cells_.empty() ? column : cells_[static_cast<size_t>(column)];
  }
  /// A row of the file to x [features] and y[t] of each target. False where a missing cell drops
  /// it. Throws CellFault.
  bool decode(const CsvRow& row, float* x, void* const* y, std::string& scratch) const;
  /// One cell of an input column; a missing one is never dropped. Throws CellFault.
  void put_input(size_t column, std::string_view text, float* x, std::string& scratch) const;

 private:
  enum class Action : std::uint8_t { number, date, one_hot, index, target_number, target_class };
  struct Plan {
    Action action;
    bool normalized;
    int column, cell, out, tensor;
    double shift, scale;
    float filled;  // in the place of a missing number
    int categories;
    std::unique_ptr<std::unordered_map<std::string_view, int>> places;  // of many categories
  };
  /// Columns of numbers side by side, in the file as in x or in one target.
  struct Run {
    int column, cell, count, tensor, out;  // tensor: of the targets; -1: x
    size_t first;                          // of their scales
    bool normalized;
  };
  void add_plan(size_t column);
  void add_to_run(const Plan& plan);
  bool decode_run(const Run& run, const CsvRow& row, float* x, void* const* y,
                  std::string& scratch) const;
  bool put(const Plan& plan, const char* begin, const char* end, float* x, void* const* y,
           std::string& scratch) const;
  int place_of(const Plan& plan, std::string_view category) const;
  bool put_category(const Plan& plan, std::string_view text, float* x, void* const* y) const;
  void put_date(const Plan& plan, std::string_view text, float* x, void* const* y) const;
  void put_number(const Plan& plan, const char* begin, const char* end, float* x,
                  void* const* y) const;
  void put_dates(const Plan& plan, double days, float* out) const;
  void put_missing(const Plan& plan, float* x) const;
  static float scaled(const Plan& plan, double value) {
    return static_cast<float>((value - plan.shift) * plan.scale);
  }

  const Preprocessing& table_;
  std::vector<int> cells_;
  CellRules rules_;
  std::vector<Plan> plans_;
  std::vector<int> plan_of_;  // of each column; -1: none
  std::vector<Run> runs_;
  std::vector<int> others_;              // plans in no run
  std::vector<double> shifts_, scales_;  // of the runs' columns
  i64 features_ = 0;
  std::vector<Target> targets_;
};

/// The column of `table` that each of `names`, a file's header, means; -1: none.
std::vector<int> columns_named(const Preprocessing& table, const std::vector<std::string>& names);

/// What brings a column's numbers to one scale: (value - shift) * scale.
struct ColumnScale {
  double shift = 0, scale = 1;
};
ColumnScale scale_of(const TableColumn& column, Normalize normalize);

}  // namespace goneuron::data
