// `goneuron predict`: what a run's model makes of new inputs.
#include <fmt/format.h>

#include <utility>

#include "cli/commands.h"
#include "cli/predict_inputs.h"
#include "cli/predict_output.h"
#include "cli/write_on.h"
#include "io/json_text.h"

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

/// What files hold, and what is no file's name as it is: words of it are those of a shell's line.
std::string beginning_of(const std::vector<std::string>& inputs) {
  std::string text;
  bool words = false;
  for (const std::string& input : inputs) {
    const bool before = std::exchange(words, input != "-" && !is_file(input));
    text += words ? (before ? " " : "") + input : input_text(input);
  }
  return text;
}

}  // namespace

void predict(const std::string& path, const PredictOptions& options) {
  const Run run = open_run(path);
  if (is_text_run(run)) {
    const std::string beginning = beginning_of(options.inputs);
    const std::string text = written_on(run, beginning, options);
    return write_out(options.json ? "{\"input\": " + json_quote(beginning) +
                                        ", \"prediction\": " + json_quote(text) + "}\n"
                                  : beginning + text + "\n",
                     options);
  }
  const PredictInputs inputs = predict_inputs(run, options.inputs);
  const Tensor outputs = run.model.predict(inputs.x);
  const PredictionTable table = prediction_table(run, outputs, inputs.labels, options.all);
  write_out(options.json ? as_json(table) : as_csv(table), options);
}

}  // namespace goneuron::cli
