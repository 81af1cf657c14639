// Tables from inputs of any sort; what the public data::csv calls, and the fuzzer.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/csv_infer.h"

namespace goneuron::data {

/// `where` opens messages.
Table read_table(const std::vector<std::shared_ptr<const CsvInput>>& inputs,
                 const CsvOptions& options, const std::string& where);
Table read_table_like(const std::vector<std::shared_ptr<const CsvInput>>& inputs,
                      const Preprocessing& like, const CsvOptions& options,
                      const std::string& where);
/// The first pass alone.
CsvTable read_columns(const std::vector<std::shared_ptr<const CsvInput>>& inputs,
                      const CsvOptions& options, const std::string& where);

}  // namespace goneuron::data
