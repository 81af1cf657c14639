// The first pass over a table: kinds of columns, statistics, categories, the number of rows, and
// where each block of rows begins. Used by data::csv.
#pragma once

#include <string>
#include <vector>

#include "data/csv_rows.h"
#include "goneuron/csv.h"

namespace goneuron::data {

/// What is known of a table before its rows are decoded.
struct CsvTable {
  CsvLayout layout;
  Preprocessing preprocessing;
  i64 rows = 0, dropped = 0;
  i64 block = 1;                 // rows between two places
  std::vector<int> cells;        // of each column in a row; empty: as they stand
  std::vector<CsvPlace> blocks;  // where row 0, block, 2 * block, .. of those kept begins
};

/// Roles by the options, then all rows. Throws DataError for columns that do not exist and for
/// cells that do not fit the kind of their column. `where` opens messages without a line.
void infer_table(CsvTable& table, const CsvOptions& options, const std::string& where);
/// Every option that could not mean anything is refused.
void check_options(const CsvOptions& options, const std::string& where);

}  // namespace goneuron::data
