// CheckpointFolder: the checkpoints of one run: finds the newest whole one, writes new ones on a
// thread of its own, removes those that are too old. Used by fit().
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "train/checkpoint/checkpoint_file.h"

namespace goneuron {

class CheckpointFolder {
 public:
  /// Makes the folder, keeps other processes from training there, and clears away what a process
  /// that was killed left half written. Throws FormatError where that cannot be.
  CheckpointFolder(const BackupRequest& request, const std::string& where);
  /// Waits for what is being written.
  ~CheckpointFolder();
  CheckpointFolder(const CheckpointFolder&) = delete;
  CheckpointFolder& operator=(const CheckpointFolder&) = delete;

  /// The newest checkpoint that is whole; one that is damaged is reported on standard error. None
  /// in a folder without checkpoints. Throws FormatError where all are damaged.
  std::optional<Checkpoint> newest() const;
  /// Takes a copy of everything and writes it in the background, once what was begun before is
  /// done. What cannot be written is reported on standard error, once, and forgotten when a later
  /// one is written.
  void write(ModelImpl& model, const RunPosition& position);
  /// Waits until all is written. Throws FormatError when the last one could not be.
  void finish();
  /// Of the newest one that is on the disk; empty before there is one.
  std::string last_path();

 private:
  void run();
  void remove_old() const;

  std::string folder_, where_;
  i64 keep_;
  int lock_ = -1;  // of the folder, held while this lives
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<std::pair<std::string, ModelFileParts>> waiting_;
  bool busy_ = false, quit_ = false;
  std::exception_ptr error_;
  std::string written_;
  std::thread thread_;
};

}  // namespace goneuron
