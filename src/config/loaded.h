// Loaded: what a config's data source gives: data sets, and how raw inputs become the model's.
// Made by the rows of tables/sources*.cpp, used by build.cpp and the program's commands.
#pragma once

#include <functional>

#include "config/options.h"
#include "goneuron/dataset.h"

namespace goneuron::config {

struct Loaded {
  Dataset train, validation, test;   // empty where there is none
  std::vector<std::string> classes;  // their names, where targets are classes
  std::string preprocessing;         // what predict needs besides the model; kept in the run folder
  std::string facts;                 // a few lines for people
};

/// How a source's data is cut up, as the section "split" says.
struct Split {
  double validation = 0, test = 0;
  std::uint64_t seed = 0;
};

using SourceRow = Row<Loaded, const Options&, const Split&>;
/// Rows, one list a file.
std::span<const SourceRow> csv_sources();
std::span<const SourceRow> file_sources();
const Table& source_table();
Loaded load(const Value& value, const Split& split, const Context& context);

}  // namespace goneuron::config
