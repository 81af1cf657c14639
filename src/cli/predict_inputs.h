// New inputs for a run's model: rows of a table, images, arrays, numbers; from files or standard
// input. Used by predict.cpp.
#pragma once

#include <string>
#include <vector>

#include "cli/run.h"

namespace goneuron::cli {

struct PredictInputs {
  Tensor x;                         // [samples, ..] as the model's input
  std::vector<std::string> labels;  // a name for each sample, or none
};
/// `files`: paths, "-" for standard input. Throws FormatError or DataError.
PredictInputs predict_inputs(const Run& run, const std::vector<std::string>& files);
/// The bytes of a file, or of standard input for "-".
std::string input_text(const std::string& file);

}  // namespace goneuron::cli
