// Callbacks ready for use, with Keras' names and arguments; Logger and Lambda are in callback.h.
// fit(data, {.callbacks = {EarlyStopping({.patience = 3}), CSVLogger("run.csv")}}).
#pragma once

#include <optional>

#include "goneuron/callable.h"
#include "goneuron/callback.h"

namespace goneuron {

struct EarlyStoppingOptions {
  std::string monitor = "val_loss";  ///< a name of the logs
  double min_delta = 0;              ///< a smaller change is no improvement
  i64 patience = 0;                  ///< epochs without improvement until training stops
  bool verbose = false;              ///< a line when it stops
  /// "min" or "max": which way is better; "auto": by the name, "accuracy" up, "loss" down.
  std::string mode = "auto";
  std::optional<double> baseline = {};  ///< to be beaten within `patience` epochs
  bool restore_best_weights = false;    ///< at the end, those of the best epoch; else the last
  i64 start_from_epoch = 0;             ///< epochs before it do not count
};
/// Ends training once a number has stopped improving (Prechelt 1998). NaN never improves. The
/// weights that it restores are the model's alone: the optimizer's state is that of the last step.
Callback EarlyStopping(const EarlyStoppingOptions& options = {}, Site site = Site::here());

struct ModelCheckpointOptions {
  std::string monitor = "val_loss";
  bool save_best_only = false;     ///< only where `monitor` has improved on all before
  bool save_weights_only = false;  ///< by Model::save_weights(), without optimizer and graph
  std::string mode = "auto";
  i64 save_freq = 0;  ///< steps from one to the next; 0: at the end of each epoch
  i64 keep_last = 0;  ///< files of this run to keep, older ones are removed; 0: all
  std::optional<double> initial_value_threshold = {};  ///< what counts as the best so far
  bool verbose = false;
};
/// Saves the model by Model::save(): weights, state, optimizer. In the path {epoch} (from 1),
/// {step} (of the epoch, from 1) and any name of the logs stand for their values, with fmt's
/// formats: "run/model-{epoch:02}-{val_loss:.3f}.safetensors".
Callback ModelCheckpoint(const std::string& path, const ModelCheckpointOptions& options = {},
                         Site site = Site::here());

struct ReduceLROnPlateauOptions {
  std::string monitor = "val_loss";
  double factor = 0.1;  ///< what the rate is multiplied by
  i64 patience = 10;    ///< epochs without improvement until it is
  bool verbose = false;
  std::string mode = "auto";
  double min_delta = 1e-4;
  i64 cooldown = 0;  ///< epochs after a reduction that do not count
  double min_lr = 0;
};
/// Lowers the learning rate once a number has stopped improving. Throws GraphError when the rate
/// follows a schedule.
Callback ReduceLROnPlateau(const ReduceLROnPlateauOptions& options = {}, Site site = Site::here());

/// Before each epoch (from 0) the rate becomes schedule(epoch, rate). Throws GraphError when the
/// rate follows a Schedule of compile().
Callback LearningRateScheduler(Callable<double(i64 epoch, double rate)> schedule,
                               Site site = Site::here());

struct CSVLoggerOptions {
  std::string separator = ",";
  bool append = false;  ///< go on in a file that is there, under its names; else it is replaced
};
/// A line for each epoch, written at its end: epoch (from 1) and every number of the logs.
Callback CSVLogger(const std::string& path, const CSVLoggerOptions& options = {},
                   Site site = Site::here());

struct JSONLoggerOptions {
  bool lines = true;  ///< an object a line, written at each epoch's end; else one array, rewritten
  bool append = false;  ///< go on in a file that is there
};
/// The same as JSON, with learning rate, seconds and those of them that steps waited for data.
/// Numbers that are not finite become null.
Callback JSONLogger(const std::string& path, const JSONLoggerOptions& options = {},
                    Site site = Site::here());

struct TensorBoardOptions {
  i64 histogram_freq = 0;        ///< epochs from one histogram of the weights to the next; 0: none
  bool write_gradients = false;  ///< histograms of the last batch's gradients beside them
  i64 update_freq = 0;           ///< steps from one scalar of the batches to the next; 0: none
};
/// Event files for TensorBoard in `folder`/train and `folder`/validation, which are made: for each
/// epoch "epoch_loss", ..., "epoch_learning_rate"; for steps "batch_loss", ...; histograms under
/// the weights' names. A run that goes on adds a file.
Callback TensorBoard(const std::string& folder, const TensorBoardOptions& options = {},
                     Site site = Site::here());

/// Ends training with the weights before the step whose loss is not finite, and says which layer's
/// output is the first that is not; without it fit() throws DataError with the same text.
Callback TerminateOnNaN(Site site = Site::here());

struct ProfileOptions {
  i64 first_step = 3;     ///< of the first epoch, from 0: memory is touched by then
  i64 steps = 20;         ///< that are timed
  std::string path = {};  ///< of the table; empty: standard output
};
/// Times the steps of training layer by layer and writes a table: time, share, GFLOP/s, bytes read
/// and written. Steps that are timed run on one thread; what they compute is the same, bit for bit.
Callback Profile(const ProfileOptions& options = {}, Site site = Site::here());

/// One function for each hook; those that are empty are not called.
struct LambdaCallbackOptions {
  Callable<void(TrainingState&)> on_train_begin = {}, on_train_end = {}, on_epoch_begin = {},
                                 on_epoch_end = {}, on_step_end = {}, on_test_begin = {},
                                 on_test_end = {};
};
Callback LambdaCallback(const LambdaCallbackOptions& hooks, Site site = Site::here());

/// Validation is of the moving averages that compile({.ema = ..}) asked for. Callbacks that stand
/// before it in the list see them until its on_epoch_end(): EarlyStopping and ModelCheckpoint
/// then keep what was measured.
Callback MovingAverage(Site site = Site::here());

struct HTMLReportOptions {
  std::string title = "Training";
  std::vector<std::string> class_names = {};  ///< for the matrix and the samples; empty: numbers
  i64 samples = 24;     ///< predictions to show, of the validation data or else the training data
  i64 every = 0;        ///< epochs from one writing of the page to the next; 0: at the end alone
  bool profile = true;  ///< times a few steps of the first epoch layer by layer, as Profile does
};
/// One page that needs nothing beside it: curves of every number, learning rate, confusion matrix,
/// predictions, time of each layer, memory.
Callback HTMLReport(const std::string& path, const HTMLReportOptions& options = {},
                    Site site = Site::here());

}  // namespace goneuron
