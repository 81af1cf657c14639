// `goneuron predict`: what a run's model makes of new inputs.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <iterator>
#include <random>

#include "cli/commands.h"
#include "cli/predict_inputs.h"
#include "cli/predict_output.h"
#include "core/message.h"

namespace goneuron::cli {
namespace {

void write_out(const std::string& text, const PredictOptions& options) {
  if (options.output.empty()) {
    fmt::print("{}", text);
    std::fflush(stdout);
  } else {
    write_text(options.output, text);
  }
}

}  // namespace

void predict(const std::string& path, const PredictOptions& options) {
  const Run run = open_run(path);
  const PredictInputs inputs = predict_inputs(run, options.inputs);
  const Tensor outputs = run.model.predict(inputs.x);
  const PredictionTable table = prediction_table(run, outputs, inputs.labels, options.all);
  write_out(options.json ? as_json(table) : as_csv(table), options);
}

}  // namespace goneuron::cli
