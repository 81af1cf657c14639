#include "cli/run_folder.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/message.h"
#include "io/atomic_file.h"

namespace goneuron::cli {
namespace {
namespace fs = std::filesystem;

bool is_checkpoint(const fs::path& path) {
  const std::string name = path.filename();
  return name.starts_with("checkpoint-") && name.find(".safetensors") != std::string::npos;
}

void remove_files(const RunFolder& run) {
  for (const std::string& file : {run.config(), run.model(), run.history_csv(), run.history_json(),
                                  run.report(), run.preprocessing(), run.classes()})
    std::remove(file.c_str());
  std::error_code ignored;  // what stays is found, and refused, by the training
  for (const auto& entry : fs::directory_iterator(run.checkpoints(), ignored))
    if (is_checkpoint(entry.path())) fs::remove(entry.path(), ignored);
  fs::remove(run.checkpoints(), ignored);  // where nothing else is in it
}

/// What the run would begin with, or write over, though there is none.
bool something_of_no_run(const RunFolder& run) {
  std::error_code none;
  const fs::directory_iterator checkpoints(run.checkpoints(), none);
  return exists(run.model()) || std::any_of(begin(checkpoints), end(checkpoints),
                                            [](const auto& e) { return is_checkpoint(e.path()); });
}

/// A model, whichever callback wrote it, or a checkpoint to go on from.
bool something_learnt(const RunFolder& run) {
  std::error_code none;
  for (const std::string& folder : {run.path, run.checkpoints()})
    for (const auto& entry : fs::directory_iterator(folder, none))
      if (entry.path().extension() == ".safetensors") return true;
  return false;
}

}  // namespace

bool exists(const std::string& path) {
  std::error_code ignored;  // what cannot be seen is not there
  return fs::exists(path, ignored);
}

bool is_file(const std::string& path) {
  std::error_code ignored;
  return exists(path) && !fs::is_directory(path, ignored);
}

RunFolder run_of(const config::Config& config) {
  RunFolder run{config.section("outputs").text("folder")};
  while (run.path.size() > 1 && run.path.back() == '/') run.path.pop_back();
  return run;
}

// Delegates, so that the destructor takes back what was made before this one throws.
NewRun::NewRun(const config::Config& config, const std::string& config_path, bool overwrite)
    : NewRun(run_of(config)) {
  const config::Value named = config.section("outputs").value("folder");
  std::error_code not_there;
  if (fs::equivalent(config_path, run_.config(), not_there))
    config::fail_at(named, "the run's folder would have its config in the place of this one", {},
                    "name another folder (--set outputs.folder=..)");
  overwrite_ = overwrite;
  if (!exists(run_.config()) && something_of_no_run(run_) && !overwrite)
    config::fail_at(named,
                    "there is a model or a checkpoint in " + run_.path +
                        " already, of no run; expected a new folder",
                    {},
                    "name another folder (--set outputs.folder=..), or give --overwrite to "
                    "lose what is there");
  if (exists(run_.config()) && !overwrite)
    config::fail_at(named, "there is a run in " + run_.path + " already; expected a new folder",
                    something_learnt(run_)
                        ? config::Lines{{"go on", "goneuron resume " + run_.path}}
                        : config::Lines{},
                    "name another folder (--set outputs.folder=..), or give --overwrite to lose "
                    "that run");
  try {
    make(run_.path);
  } catch (const fs::filesystem_error& error) {
    config::fail_at(named, "the folder " + run_.path + " cannot be made: " + error.code().message(),
                    {}, "choose a place that exists and may be written");
  }
  if (access(run_.path.c_str(), W_OK | X_OK) != 0)
    config::fail_at(named,
                    "the folder " + run_.path + " cannot be written to: " + std::strerror(errno),
                    {}, "choose another one, or let this user write there");
}

NewRun::~NewRun() {
  if (begun_ && something_learnt(run_)) return;
  for (const std::string& file : new_) std::remove(file.c_str());
  std::error_code not_empty;  // a callback's files stay, and their folders
  if (begun_) fs::remove(run_.checkpoints(), not_empty);
  for (; !made_.empty(); made_.pop_back()) fs::remove(made_.back(), not_empty);
}

void NewRun::make(const std::string& path) {
  if (fs::is_directory(path)) return;
  if (const std::string above = fs::path(path).parent_path(); !above.empty() && above != path)
    make(above);
  if (fs::create_directory(path)) made_.push_back(path);
}

void NewRun::begin() {
  if (overwrite_) remove_files(run_);
  for (const std::string& file : {run_.config(), run_.preprocessing(), run_.classes()})
    if (!exists(file)) new_.push_back(file);
  begun_ = true;
}

RunFolder find_run(const std::string& path) {
  std::error_code ignored;
  RunFolder run{fs::is_directory(path, ignored) ? path : fs::path(path).parent_path().string()};
  if (run.path.empty()) run.path = ".";
  while (run.path.size() > 1 && run.path.back() == '/') run.path.pop_back();
  if (!exists(run.config()))
    throw_format({.where = path,
                  .what = exists(path) ? "there is no config.yaml; expected the folder of a run"
                                       : "there is no such folder; expected that of a run",
                  .hint = "goneuron train CONFIG.yaml makes one and says where"});
  return run;
}

std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

void write_text(const std::string& path, const std::string& text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

std::string read_text(const std::string& path, size_t most) {
  std::ifstream file(path, std::ios::binary);
  std::string text;
  char part[1 << 14];
  while (file && text.size() <= most) {
    file.read(part, sizeof part);
    text.append(part, static_cast<size_t>(file.gcount()));
  }
  if (text.empty() && !file.eof())
    throw_format({.where = path,
                  .what = std::string("cannot read the file: ") + std::strerror(errno),
                  .hint = "check the path"});
  if (text.size() > most)
    throw_format({.where = path,
                  .what = "the file has more than " + std::to_string(most) + " bytes",
                  .hint = "give a smaller one"});
  return text;
}

}  // namespace goneuron::cli
