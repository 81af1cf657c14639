// What the commands print about a run, and the report that they write. Used by train.cpp,
// evaluate.cpp and report.cpp.
#pragma once

#include <string>

#include "cli/run.h"
#include "config/loaded.h"
#include "goneuron/csv.h"
#include "goneuron/model.h"

namespace goneuron::cli {

/// "loss 0.3012, accuracy 0.8912"
std::string numbers_text(const Logs& logs);
/// "1:02", "2:03:04"
std::string time_text(double seconds);
/// "60,000"
std::string grouped(i64 number);
/// "[28, 28, 1] u8"
std::string sample_text(const Dataset& data);

struct RunResult {
  History history;
  Logs test;  // empty where there is no test data
  double seconds = 0;
};
/// A line for each column of a table: name, kind, range or categories, what is missing.
std::string columns_text(const data::Preprocessing& table);
/// What errors of a table's one target, trained on in another unit, are in its own: " (mae 12345 in
/// the unit of price)"; empty elsewhere.
std::string own_unit_text(const std::string& preprocessing, const Logs& logs);
/// report.html of a run, with what its model makes of `judged`, the data's `part`.
void write_run_report(const Run& run, const config::Loaded& data, const Dataset& judged,
                      const std::string& part, const Logs& logs);

}  // namespace goneuron::cli
