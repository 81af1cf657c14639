// FitLoop: the epochs and steps of one fit(), its callbacks, history and checkpoints. Used by
// Model::fit(), and by the program to check a config.
#pragma once

#include <chrono>
#include <optional>

#include "train/checkpoint/checkpoint_folder.h"
#include "train/checkpoint/interrupt.h"
#include "train/footprint.h"
#include "train/pass.h"

namespace goneuron {

class FitLoop {
 public:
  /// Throws for all that is wrong with the call, the data, the model's memory and the callbacks;
  /// nothing has been written then.
  FitLoop(const Model& model, const FitParts& parts, const FitOptions& options, Site site);
  /// May be called once.
  History run();

 private:
  using Clock = std::chrono::steady_clock;
  using Hook = void (CallbackBase::*)(TrainingState&);

  void check_callbacks() const;
  void open_checkpoints();
  void check_same_run(const RunPosition& position) const;
  void restore_run(const Checkpoint& checkpoint);
  void go_on_from(const Checkpoint& checkpoint);
  void load_callbacks(const RunPosition& position);
  void call(Hook hook);
  void begin_epoch();
  bool train_epoch();
  bool step();
  void validate();
  void end_epoch();
  double seconds() const;
  bool inside_epoch() const { return state_.logs == &train_.means.logs; }
  /// True when what has just ended, a step or an epoch, was the last before the program ends.
  bool interrupted();
  bool checkpoint_due() const;
  void write_checkpoint(bool ended);
  RunPosition position(bool ended) const;

  const Model& model_;
  ModelImpl& m_;
  const FitOptions& options_;
  Site site_;
  FitParts parts_;
  Pass train_;
  std::optional<Pass> check_;
  Logs logs_;                // of a whole epoch: in training, then in validation
  std::vector<Logs> spare_;  // rows for the epochs to come, so that none is made then
  History history_;
  TrainingState state_;
  i64 first_step_ = 0;  // of the next epoch: where a checkpoint was made in the middle of it
  Clock::time_point epoch_begin_, written_;
  BackupRequest backup_;
  RunOptions run_;         // where there are checkpoints
  double given_rate_ = 0;  // by the program; 0: it has a schedule
  std::optional<CheckpointFolder> folder_;
  std::optional<Interrupt> interrupt_;
};

/// What fit() does before it writes or trains: throws what it would throw.
void check_fit(const Model& model, const Dataset& data, const FitOptions& options, Site site);

}  // namespace goneuron
