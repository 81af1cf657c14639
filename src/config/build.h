// From a config to a model that can be trained. Used by the commands of the program.
#pragma once

#include "config/config.h"
#include "config/loaded.h"
#include "goneuron/model.h"

namespace goneuron::config {

/// Device, threads and memory, as the config says.
void use_device(const Config& config);
/// `preprocessing` is what a run has kept: data is read as its training data was.
Loaded load_data(const Config& config, const std::string& preprocessing = "");
/// Built for samples of `input`, not compiled.
Model build_model(const Config& config, const Shape& input, DType dtype);
/// Steps are counted from the training data, for schedules.
void compile_model(const Config& config, Model& model, const Dataset& train);
/// Without the progress.
/// `folder` is the run's, for callbacks that write.
FitOptions fit_options(const Config& config, const Loaded& data, const std::string& folder = ".");

}  // namespace goneuron::config
