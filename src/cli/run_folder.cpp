#include "cli/run_folder.h"

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

void remove_files(const RunFolder& run) {
  for (const std::string& file : {run.config(), run.model(), run.history_csv(), run.history_json(),
                                  run.report(), run.preprocessing(), run.classes()})
    std::remove(file.c_str());
  std::error_code ignored;  // what stays is found, and refused, by the training
  fs::remove_all(run.checkpoints(), ignored);
}

}  // namespace

bool exists(const std::string& path) {
  std::error_code ignored;  // what cannot be seen is not there
  return fs::exists(path, ignored);
}

RunFolder new_run(const config::Config& config, bool overwrite) {
  const config::Options outputs = config.section("outputs");
  RunFolder run{outputs.text("folder")};
  while (run.path.size() > 1 && run.path.back() == '/') run.path.pop_back();
  if (exists(run.config()) && !overwrite)
    config::fail_at(outputs.value("folder"),
                    "there is a run in " + run.path + " already; expected a new folder",
                    {{"go on", "goneuron resume " + run.path}},
                    "name another folder (--set outputs.folder=..), or give --overwrite to lose "
                    "that run");
  return run;
}

void begin_run(const RunFolder& run, const config::Config& config) {
  std::error_code error;
  fs::create_directories(run.path, error);
  if (error)
    config::fail_at(config.section("outputs").value("folder"),
                    "the folder " + run.path + " cannot be made: " + error.message(), {},
                    "choose a place that exists and may be written");
  remove_files(run);
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
