// `goneuron evaluate` and `goneuron report`: how good a run's model is.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/results.h"
#include "cli/run.h"
#include "config/build.h"
#include "config/write.h"
#include "core/message.h"

namespace goneuron::cli {
namespace {

/// "test", or what there is instead of it; the name that was taken is left in `part`.
const Dataset& part_of(const config::Loaded& data, std::string& part, const std::string& run) {
  if (part.empty()) part = data.test ? "test" : data.validation ? "validation" : "train";
  const Dataset& found = part == "train"        ? data.train
                         : part == "validation" ? data.validation
                                                : data.test;
  if (!found)
    throw_data({.where = run,
                .what = "the data has no part \"" + part + "\"; expected one that it has",
                .hint = "give split." + part + " a share in the config, or take --part train"});
  return found;
}

/// Settings that put all of `path` in the place of the config's data, as it is.
std::vector<std::string> settings_for(const config::Config& config, const std::string& path) {
  const config::Value& data = *config.root().find("data");
  const std::string name = config::named(data).text;
  const config::Kind* kind = config::find_kind(config::source_table(), name);
  if (kind == nullptr || config::find_option(kind->options, "path") == nullptr)
    throw_data(
        {.where = path,
         .what = "the config's data source, " + name + ", has no path; expected one that has",
         .hint = "put other files in by --set data." + name + ".KEY=VALUE"});
  return {"data." + name + ".path=" + config::flow_text(config::scalar(path)),
          "split={validation: 0}", "augment={flip_horizontal: false}"};
}

}  // namespace

void evaluate(const std::string& path, const EvaluateOptions& options) {
  std::vector<std::string> overrides = options.overrides;
  std::string part = options.part;
  if (!options.data.empty()) {
    const config::Config config = config::Config::read(find_run(path).config());
    for (const std::string& setting : settings_for(config, options.data))
      overrides.push_back(setting);
    part = "train";
  }
  const Run run = open_run(path, overrides);
  const config::Loaded data = config::load_data(run.config, run.preprocessing);
  const Dataset& samples = part_of(data, part, run.folder.path);
  const Logs logs =
      run.model.evaluate(samples, run.config.section("fit").integer("batch_size"), {});
  if (!options.json) {
    if (!options.data.empty()) part = options.data;
    fmt::print("{} samples ({}): {}{}\n", grouped(samples.size()), part, numbers_text(logs),
               own_unit_text(run.preprocessing, logs));
    return;
  }
  nlohmann::ordered_json out = {{"part", part}, {"samples", samples.size()}};
  for (size_t i = 0; i < logs.names.size(); ++i)
    out[logs.names[i]] = std::isfinite(logs.values[i]) ? nlohmann::ordered_json(logs.values[i])
                                                       : nlohmann::ordered_json();
  fmt::print("{}\n", out.dump());
}

void report(const std::string& path) {
  const Run run = open_run(path);
  const config::Loaded data = config::load_data(run.config, run.preprocessing);
  std::string part;
  const Dataset& judged = part_of(data, part, run.folder.path);
  const Logs logs = run.model.evaluate(judged, run.config.section("fit").integer("batch_size"), {});
  write_run_report(run, data, judged, part, logs);
  fmt::print("{}\n", run.folder.report());
}

}  // namespace goneuron::cli
