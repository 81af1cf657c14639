// Pass: one way through a data set in one mode, batch by batch: the loader, the executors for the
// shapes that occur, running means. Used by fit(), evaluate() and the single-batch forms.
#pragma once

#include "data/loader.h"
#include "train/model_impl.h"

namespace goneuron {

/// Which of the model's inputs and heads takes which column of a data set.
struct Binding {
  std::vector<Feed> feeds;  // inputs, then targets
  /// The types of a batch of `rows` from one part of the data set.
  StepSpec spec(const ModelImpl& model, const DatasetImpl& part, Mode mode, i64 rows) const;
  /// Images that lie in memory as bytes stay where they are, if the model's first steps read those:
  /// the batch is then the numbers of their rows. Plans that do are made anew for each pass: worth
  /// it for those of fit(). The model's mutex is held by the caller.
  void leave_in_place(ModelImpl& model, const DatasetImpl& data, Mode mode, i64 batch);
};
/// Builds the model first where it is not. Throws GraphError, ShapeError,
/// DataError where the data does not fit the model.
Binding bind(ModelImpl& model, const Dataset& data, const char* caller, Site site);
/// Its feeds of inputs alone.
Binding bind_inputs(ModelImpl& model, const Dataset& data, const char* caller, Site site);
/// Numbers of `names` in the model's order, found in `given` (empty: by position) for each of
/// `wanted`. Throws DataError listing the names that there are.
std::vector<int> matched(const std::vector<std::string>& wanted,
                         const std::vector<std::string>& given, size_t count, const char* what,
                         const std::string& where);

/// Numbers over an epoch: means of what a step yields, weighted by samples, or by what it was
/// divided by; and what metrics add up themselves. Allocates when made only.
class Means {
 public:
  explicit Means(const char* prefix) : prefix_(prefix) {}
  void name(const TrainGraph& graph);
  void reset();
  void add(const Executor& executor, i64 rows);
  /// Every number as of all batches: those that take long are else renewed now and then.
  void finish();
  /// A number beside the means, the last one of the logs.
  void show(const char* name, double value);
  /// All that add() has changed since reset(), and back: for checkpoints within an epoch.
  std::vector<double> state() const;
  /// Throws GraphError for the state of other metrics.
  void restore(const std::vector<double>& state);
  Logs logs;

 private:
  struct Added {
    int output;    // of the step
    size_t first;  // place of its numbers in the logs
    Shared<Accumulator> sums;
  };
  void show_means();
  void add_evidence(const Executor& executor);

  std::string prefix_;
  std::vector<int> counts_;  // the output of the step that weighs a number; -1: its samples do
  std::vector<int> shown_;   // the number's place in the logs; -1: hidden
  std::vector<std::pair<size_t, double>> parts_;
  std::vector<double> sums_, weights_;
  std::vector<Added> added_;
  double seen_ = 0, due_ = 1;  // rows; when those that take long are renewed
};

/// The workers of the steps, between two of them.
class WorkerCrew : public Crew {
 public:
  void run(void (*part)(const void* work, i64 index, i64 parts), const void* work) override;

 private:
  struct Task {
    void (*part)(const void* work, i64 index, i64 parts) = nullptr;
    const void* work = nullptr;
    i64 parts = 0;
  } task_;
  Program program_;         // for the pool of this number
  std::uint64_t pool_ = 0;  // none has 0
};

class Pass {
 public:
  struct Options {
    i64 batch = 32;
    Mode mode = Mode::evaluate;
    bool shuffle = false;
    std::uint64_t seed = 0;
    const char* prefix = "";
    i64 accumulate = 1;
    bool in_place = false;  // see Binding::leave_in_place()
  };
  Pass(ModelImpl& model, const Dataset& data, const Options& options, const char* caller,
       Site site);

  i64 steps() const { return loader_.steps(); }
  /// Seconds of this epoch that steps waited for data.
  double waited() const { return loader_.waited(); }
  /// At a batch in the middle of it, where a checkpoint was made; what is counted begins anew.
  void start(i64 epoch, i64 step = 0);
  /// Rows of the batch that was run.
  i64 step();
  Means means;

 private:
  using Lease = std::unique_ptr<ExecutorLease>;
  /// The executors of one part of the data: for batches that update or only evaluate, and for those
  /// that only add; full ones and the last.
  struct Part {
    i64 rest = 0;
    Lease full, last, add, add_last;
  };
  bool ends_group() const { return (step_ + 1) % accumulate_ == 0 || step_ + 1 == loader_.steps(); }
  /// The batch's place and share in the batches that make one update.
  void place_in_group(StepScalars& scalars, i64 rows);
  static Binding bound(ModelImpl& model, const Dataset& data, const Options& options,
                       const char* caller, Site site);
  ExecutorLease& lease(bool updates);

  ModelImpl& model_;
  Mode mode_;
  i64 accumulate_;
  bool rate_logged_ = false;
  std::string where_, data_;
  Binding binding_;
  Loader loader_;
  WorkerCrew crew_;
  std::vector<Part> parts_;
  i64 step_ = 0;
};

}  // namespace goneuron
