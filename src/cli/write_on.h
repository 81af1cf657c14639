// Text that a run's model writes on, character by character. Used by predict.cpp.
#pragma once

#include <string>

#include "cli/commands.h"
#include "cli/run.h"

namespace goneuron::cli {

/// True for a run of the data source "text".
bool is_text_run(const Run& run);
/// What follows `beginning`: options.length characters, drawn from the model's shares.
std::string written_on(const Run& run, const std::string& beginning, const PredictOptions& options);

}  // namespace goneuron::cli
