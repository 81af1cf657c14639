// Callbacks: hooks that fit() calls. Derive from CallbackBase and pass std::make_shared<My>().
#pragma once

#include "goneuron/callable.h"
#include "goneuron/tensor.h"

namespace goneuron {

class Model;
class Dataset;
struct History;

/// The name in logs["loss"], with the line it stands on.
struct LogName {
  LogName(const char* text, Site site = Site::here())
      : text(text), site(site) {}                             // NOLINT: converts
  LogName(const std::string& text, Site site = Site::here())  // NOLINT: converts on purpose
      : text(text), site(site) {}
  std::string text;
  Site site;
};

/// Named numbers of a step or an epoch: "loss", "accuracy", "val_loss", ...
struct Logs {
  std::vector<std::string> names;
  std::vector<double> values;
  /// Throws GraphError listing the names that exist.
  double operator[](const LogName& name) const;
  bool has(const std::string& name) const;
};

/// What fit() is doing; hooks read it and may change `stop` and `learning_rate`.
struct TrainingState {
  i64 epoch = 0, epochs = 0;  ///< from 0
  i64 step = 0, steps = 0;    ///< within the epoch, from 0
  i64 batch_size = 0;
  i64 samples = 0;             ///< seen in this epoch
  double seconds = 0;          ///< of this epoch
  double step_seconds = 0;     ///< of those: in the steps, that is, without the validation
  double learning_rate = 0;    ///< set it: the next step uses it
  bool stop = false;           ///< set it: training ends after this step
  bool resumed = false;        ///< this run goes on from a checkpoint
  const Logs* logs = nullptr;  ///< running means of this epoch; at its end val_* beside them
  const Model* model = nullptr;
  const Dataset* data = nullptr;        ///< what fit() trains on
  const Dataset* validation = nullptr;  ///< null where there is none
  const History* history = nullptr;     ///< of the epochs before this one, resumed ones included
  double waited = 0;                    ///< seconds of this epoch that steps waited for data
};

/// What a callback remembers from epoch to epoch, as a checkpoint keeps it: numbers, texts and
/// tensors by name.
struct CallbackState {
  std::vector<std::pair<std::string, double>> numbers;
  std::vector<std::pair<std::string, std::string>> texts;
  std::vector<std::pair<std::string, Tensor>> tensors;
};

/// When fit() writes checkpoints, besides the end of each epoch, and how many it keeps.
struct BackupOptions {
  i64 every_steps = 0;         ///< batches; 0: none in the middle of an epoch by their number
  double every_seconds = 300;  ///< 0: none by time
  i64 keep = 2;                ///< the newest; older ones are removed
};
/// What BackupAndRestore asks of fit().
struct BackupRequest {
  std::string folder;
  BackupOptions options;
  Site site;
};

class CallbackBase {
 public:
  virtual ~CallbackBase() = default;
  /// Null for all but BackupAndRestore.
  virtual const BackupRequest* backup() const { return nullptr; }
  /// For checkpoints: a callback that remembers something writes all of it, and takes it back when
  /// training goes on from there: after on_train_begin(), and in the middle of an epoch after
  /// on_epoch_begin().
  virtual void save(CallbackState&) const {}
  virtual void load(const CallbackState&) {}
  /// Before anything else, and where a training is only checked: throws where this callback cannot
  /// do its work in it. Writes nothing.
  virtual void check(const TrainingState&) const {}
  virtual void on_train_begin(TrainingState&) {}
  virtual void on_epoch_begin(TrainingState&) {}
  virtual void on_step_end(TrainingState&) {}
  virtual void on_epoch_end(TrainingState&) {}
  /// Around the validation that ends an epoch.
  virtual void on_test_begin(TrainingState&) {}
  virtual void on_test_end(TrainingState&) {}
  /// The loss of a step is not finite, and the step has changed nothing; `what` says why. True:
  /// training ends here; if no callback says so, fit() throws.
  virtual bool on_not_finite(TrainingState&, const std::string& what) {
    static_cast<void>(what);
    return false;
  }
  virtual void on_train_end(TrainingState&) {}
};

/// A handle; made from a std::shared_ptr or std::unique_ptr to a class derived from CallbackBase.
using Callback = Shared<CallbackBase>;

/// Progress: on a terminal a bar with loss, metrics, samples per second and time left, redrawn at
/// most ten times a second; in a file a line every `every` epochs.
Callback Logger(i64 every = 1, Site site = Site::here());
/// Calls `function` at the end of each epoch.
Callback Lambda(Callable<void(TrainingState&)> function, Site site = Site::here());

/// Checkpoints of a run in `folder`, which is made: fit() goes on from the newest one there, in the
/// middle of an epoch too, and ends with the weights, bit for bit, of a run that never stopped. The
/// data, its order, the batch size, the seed, the accumulation and what model, loss and metrics
/// compute must be as before; the learning rate is that of the checkpoint, unless the program gives
/// another one than it gave then. A run that is done, or that a callback stopped, is not trained
/// again: fit() restores it and returns its history; more epochs go on from its end. A program with
/// several calls of fit() takes a folder for each. Files are written beside the training and hold
/// everything: weights, optimizer, averages, position in the data, metrics and callbacks (see
/// CallbackBase::save); one that cannot be written is reported on standard error while training
/// goes on, and thrown as FormatError if it was the last one. Ctrl-C (SIGINT) finishes the step,
/// writes a checkpoint and ends the program; a second one ends it at once. The same as fit(..,
/// {.resume = folder}), with options. Throws GraphError for options below 0, or keep below 1.
Callback BackupAndRestore(const std::string& folder, const BackupOptions& options = {},
                          Site site = Site::here());

}  // namespace goneuron
