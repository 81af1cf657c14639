// Run: what a run folder holds, read back: its config, its model, what its inputs went through.
// Used by evaluate, predict, report and summary.
#pragma once

#include "cli/run_folder.h"
#include "config/loaded.h"
#include "goneuron/model.h"

namespace goneuron::cli {

struct Run {
  RunFolder folder;
  config::Config config;
  Model model;
  std::vector<std::string> classes;  // names; empty where targets are no classes
  std::string preprocessing;         // empty where there is none
};

/// `path` is the run's folder or its model file. Throws FormatError.
Run open_run(const std::string& path, const std::vector<std::string>& overrides = {});

/// What the model's output is, for people.
enum class Answer : std::uint8_t { numbers, yes_or_no, one_class, tokens };
Answer answer_of(const Run& run);

}  // namespace goneuron::cli
