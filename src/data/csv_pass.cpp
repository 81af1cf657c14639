#include "data/csv_pass.h"

#include <algorithm>

namespace goneuron::data {

namespace {

constexpr i64 rows_between_merges = 1024;

}  // namespace

FirstPass::FirstPass(CsvTable& table, const std::vector<ColumnScan::Wanted>& wanted, bool drop)
    : table_(table), rules_(table.preprocessing), rows_(table.layout), drop_(drop) {
  columns_.reserve(wanted.size());
  used_.reserve(wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    columns_.emplace_back(wanted[i]);
    if (columns_.back().used()) used_.push_back(static_cast<std::uint32_t>(i));
  }
  for (auto* sums : {&shift_, &count_, &sum_, &squares_, &min_, &max_}) sums->resize(wanted.size());
}

std::vector<ColumnScan> FirstPass::run() {
  table_.rows = table_.dropped = 0;
  table_.blocks.clear();
  while (rows_.next()) {
    if (drop_ && is_dropped()) {
      ++table_.dropped;
      continue;
    }
    if (table_.rows % table_.block == 0) table_.blocks.push_back(rows_.place());
    add_row();
    if (++table_.rows % rows_between_merges == 0) merge();
  }
  merge();
  return std::move(columns_);
}

bool FirstPass::is_dropped() {
  const CsvRow& row = rows_.row();
  for (const size_t i : used_) {
    const auto at = static_cast<i64>(i);
    if (rules_.is_missing(trimmed(cell_text(row.begin(at), row.end(at), rules_.quote(), scratch_))))
      return true;
  }
  return false;
}

void FirstPass::add_row() {
  if (!sorted_) sort_columns();
  for (const Run& run : runs_) add_run(run);
  for (const size_t i : others_) add_cell(i);
}

void FirstPass::add_run(const Run& run) {
  constexpr size_t at_once = 64;
  double values[at_once];
  for (size_t done = 0; done < run.count;) {
    const size_t first = run.first + done, count = std::min(at_once, run.count - done);
    const auto found = static_cast<size_t>(
        rules_.numbers(rows_.row(), static_cast<i64>(first), static_cast<i64>(count), values));
    double *shift = &shift_[first], *counts = &count_[first], *sum = &sum_[first],
           *squares = &squares_[first], *min = &min_[first], *max = &max_[first];
    for (size_t i = 0; i < found; ++i) {
      const double value = values[i];
      shift[i] = counts[i] == 0 && shift[i] == 0 ? value : shift[i];
      const double from_shift = value - shift[i];
      counts[i] += 1;
      sum[i] += from_shift;
      squares[i] += from_shift * from_shift;
      min[i] = value < min[i] ? value : min[i];
      max[i] = value > max[i] ? value : max[i];
    }
    if (found < count) add_cell(first + found);
    done += std::min(found + 1, count);
  }
}

void FirstPass::add_cell(size_t column) {
  const auto at = static_cast<i64>(column);
  ColumnScan& scan = columns_[column];
  const bool plain = scan.plain();
  if (plain) merge(column);  // it may ask what came before
  try {
    scan.add(rows_.row().begin(at), rows_.row().end(at), rules_, rows_, scratch_);
  } catch (const CellFault& fault) {
    rows_.fail(at, fault.what, fault.hint);
  }
  sorted_ &= scan.plain() == plain;
}

void FirstPass::merge() {
  for (const size_t i : used_) merge(i);
}

/// Ends a batch: around the mean so far, the next one's sums stay small.
void FirstPass::merge(size_t i) {
  ColumnScan& column = columns_[i];
  column.merge({shift_[i], count_[i], sum_[i], squares_[i], min_[i], max_[i]});
  const BatchSums none;
  shift_[i] = column.center();
  count_[i] = sum_[i] = squares_[i] = 0;
  min_[i] = none.min;
  max_[i] = none.max;
}

void FirstPass::sort_columns() {
  merge();
  runs_.clear();
  others_.clear();
  for (const size_t i : used_) {
    if (!columns_[i].plain()) {
      others_.push_back(i);
    } else if (!runs_.empty() && runs_.back().first + runs_.back().count == i) {
      ++runs_.back().count;
    } else {
      runs_.push_back({i, 1});
    }
  }
  sorted_ = true;
}

}  // namespace goneuron::data
