// FirstPass: every row of a table through the scans of its columns; numbers side by side are summed
// together, without a branch for each. Used by csv_infer.cpp.
#pragma once

#include "data/csv_column.h"
#include "data/csv_infer.h"

namespace goneuron::data {

class FirstPass {
 public:
  /// Keeps both.
  FirstPass(CsvTable& table, const std::vector<ColumnScan::Wanted>& wanted, bool drop);
  /// Counts the table's rows and notes where its blocks begin. Once.
  std::vector<ColumnScan> run();

 private:
  /// Columns of plain numbers, side by side.
  struct Run {
    size_t first, count;
  };
  bool is_dropped();
  void add_row();
  void add_run(const Run& run);
  void add_cell(size_t column);
  void merge();
  void merge(size_t column);
  void sort_columns();

  CsvTable& table_;
  CellRules rules_;
  CsvRows rows_;
  bool drop_;
  std::vector<ColumnScan> columns_;
  std::vector<std::uint32_t> used_, others_;  // others_: those in no run
  std::vector<Run> runs_;
  bool sorted_ = false;  // runs_ and others_ are as the columns are
  // Sums of the plain columns since the last merge, as of BatchSums.
  std::vector<double> shift_, count_, sum_, squares_, min_, max_;
  std::string scratch_;
};

}  // namespace goneuron::data
