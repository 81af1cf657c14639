// What a report shows of a model's predictions: a confusion matrix, and samples as images or as
// lines. Used by HTMLReport.
#pragma once

#include "io/html_report.h"

namespace goneuron {

/// Fills in confusion (unless it is there), images or samples from the first of `data`. Nothing
/// where samples differ in shape, or predictions are neither classes nor single values.
void add_predictions(Report& report, const Model& model, const Dataset& data, i64 samples,
                     const std::string& what);

}  // namespace goneuron
