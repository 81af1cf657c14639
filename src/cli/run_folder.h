// RunFolder: where `goneuron train` keeps what belongs to a run, and where the other commands find
// it.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"

namespace goneuron::cli {

struct RunFolder {
  std::string path;

  std::string config() const { return path + "/config.yaml"; }
  std::string model() const { return path + "/model.safetensors"; }
  std::string history_csv() const { return path + "/history.csv"; }
  std::string history_json() const { return path + "/history.json"; }
  std::string checkpoints() const { return path + "/checkpoints"; }
  std::string report() const { return path + "/report.html"; }
  std::string preprocessing() const { return path + "/preprocessing.json"; }
  std::string classes() const { return path + "/classes.txt"; }
};

/// The folder that the config names.
RunFolder run_of(const config::Config& config);

/// The folder of a run that is to begin, made where it is not there. Where nothing of that run is
/// worth keeping in the end, all that was made for it goes again, so that the next one can begin.
class NewRun {
 public:
  /// Throws FormatError where a run, a model or checkpoints are there already, unless they may be
  /// overwritten, where the config would be, and where the folder cannot be made or written to.
  NewRun(const config::Config& config, const std::string& config_path, bool overwrite);
  ~NewRun();
  NewRun(const NewRun&) = delete;
  NewRun& operator=(const NewRun&) = delete;

  const RunFolder& folder() const { return run_; }
  /// What another run left in it goes where it may be overwritten; what is written from here on is
  /// this run's.
  void begin();

 private:
  explicit NewRun(RunFolder run) : run_(std::move(run)) {}
  void make(const std::string& path);

  RunFolder run_;
  std::vector<std::string> made_;  // folders, from the top
  std::vector<std::string> new_;   // files that it writes and that were not there
  bool overwrite_ = false, begun_ = false;
};
/// A run, given as its folder or as a file in it; `what` is the command, for the error when it is
/// none.
RunFolder find_run(const std::string& path);
bool exists(const std::string& path);
/// There is something of that name that is no folder.
bool is_file(const std::string& path);
/// Lines of a file; none where it does not exist.
std::vector<std::string> lines_of(const std::string& path);
/// Atomic. Throws FormatError.
void write_text(const std::string& path, const std::string& text);
/// The whole file, at most `most` bytes. Throws FormatError.
std::string read_text(const std::string& path, size_t most = size_t{1} << 30);

}  // namespace goneuron::cli
