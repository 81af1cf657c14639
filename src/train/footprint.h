// Footprint: what training a model will take of the machine's memory, found from its plans before
// any of it is allocated. Used by memory_report() and summary().
#pragma once

#include "train/model_impl.h"

namespace goneuron {

struct Footprint {
  /// The memory of one executor.
  struct Part {
    std::string what;
    i64 rows = 0;
    i64 activations = 0, live = 0, batch = 0, scratch = 0;
    i64 kept = 0;            // live, if nothing were computed again
    i64 computed_again = 0;  // steps
    i64 bytes() const;
  };
  i64 weights = 0, optimizer = 0, gradients = 0;
  std::vector<Part> parts;
  i64 workers = 1, worker_scratch = 0;  // of each
  i64 loader = 0;                       // the order of the samples, batches filled ahead
  i64 held = 0;          // of all of this, in memory already; without the workers' scratch
  i64 held_scratch = 0;  // of each worker

  i64 total() const;
  /// A table of it.
  std::string str() const;
};

/// The plan of a training step, for the target trained on so far or else the one the loss takes;
/// of a prediction when there is no such step.
struct ExpectedStep {
  std::shared_ptr<const Plan> plan;
  bool training = false;
  std::vector<TensorType> targets;
  std::string note;  // what is assumed about the target, or why the model cannot be trained
};
ExpectedStep expected_step(ModelImpl& model, i64 batch);

/// Of one step on a batch.
Footprint footprint(ModelImpl& model, const ExpectedStep& step, i64 batch);
/// Of fit(data, options), last batch and validation included.
Footprint footprint(ModelImpl& model, const Dataset& data, const FitOptions& options, Site site);

/// The steps of a pass over `samples`, each once: full batches that only add their gradients, full
/// ones, the last one where it is smaller. `several`: they are one bucket of several, whose batches
/// come in any order.
struct PassSteps {
  Mode mode;  // of those that do not only add
  bool adds = false, adds_rest = false, full = true;
  i64 batch = 0, rest = 0;
};
PassSteps pass_steps(i64 samples, i64 batch, Mode mode, i64 accumulate, bool several);

/// "12.5 MiB"
std::string size_text(i64 bytes);

/// The datasets and batch sizes that fit() uses. Throws DataError and GraphError as fit() does.
struct FitParts {
  Dataset train, validation;
  i64 batch = 0, validation_batch = 0;
};
FitParts fit_parts(const Dataset& data, const FitOptions& options, const char* caller, Site site);

}  // namespace goneuron
