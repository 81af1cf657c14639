// Predictions as CSV or JSON. Used by predict.cpp.
#pragma once

#include <string>
#include <vector>

#include "cli/run.h"

namespace goneuron::cli {

/// One row for each sample: what is predicted, and how sure the model is.
struct PredictionTable {
  std::vector<std::string> names;               // of the columns
  std::vector<std::vector<std::string>> cells;  // as text
  std::vector<bool> number;                     // columns that are numbers
};

/// `labels` names the samples (files); empty: none. `all`: a column for each class, too.
PredictionTable prediction_table(const Run& run, const Tensor& outputs,
                                 const std::vector<std::string>& labels, bool all);
std::string as_csv(const PredictionTable& table);
/// An array of objects.
std::string as_json(const PredictionTable& table);

}  // namespace goneuron::cli
