// ModelImpl: what a Model points to: its graph, its variables' memory, what it was compiled with,
// and the executors made for it so far. The files of src/train/model_*.cpp work on it.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "data/convert.h"
#include "goneuron/model.h"
#include "graph/layer_impl.h"
#include "graph/passes/frozen_norms.h"
#include "plan/executor.h"

namespace goneuron {

/// What a step is for: training updates weights, evaluation yields loss and metrics, prediction
/// outputs. `add` adds a batch's gradients to those of others; `add_and_update` is the last of
/// them.
enum class Mode { train, evaluate, predict, add, add_and_update };
inline bool trains(Mode mode) { return mode != Mode::evaluate && mode != Mode::predict; }

/// What the optimizer's groups make of one weight.
struct WeightRule {
  double rate_scale = 1, weight_decay = 0;
  bool trainable = true;
};

/// An output that a loss is given for.
struct Head {
  int output = 0;
  Loss loss;
  double weight = 1;
  std::vector<Metric> metrics;
};

/// The symbols of a training step, for one list of types of targets.
struct TrainGraph {
  // One a head, with Any as batch and where the output has it; behind them the samples' weights,
  // where there are some.
  std::vector<TensorType> targets;
  bool guessed = false;        // made by compile(), to see whether the model can be trained
  std::vector<Symbol> y_true;  // as the targets
  Symbol weight;               // [batch]; empty without weights of samples
  std::vector<double> class_weight;
  Symbol loss;
  std::vector<Symbol> logged;      // losses of the heads, metrics, what layers add
  std::vector<std::string> names;  // in the logs: "loss", then one for each of `logged`; "": hidden
  // Where the losses' means are over different counts, the total over several batches is made of
  // those parts: the number in `logged` and its weight.
  std::vector<std::pair<size_t, double>> parts;
  // Metrics that add up what a step yields: their names, and further outputs of it.
  std::vector<std::pair<std::string, Evidence>> evidence;
  /// What the loss and those of `logged` that are ratios of sums divide by; they are further
  /// outputs of a step.
  std::vector<Symbol> counts() const;
  std::vector<std::shared_ptr<Variable>> trained;
  FrozenNorms frozen_norms;       // as they were when the gradients were made
  std::vector<Symbol> gradients;  // of these; empty until training asks for them
  std::vector<Symbol> updates, adds, adds_and_updates;  // of each mode, made when asked for
};

class StepProfile;

struct ModelImpl {
  Site site;
  std::vector<Layer> pending;  // a Sequential that has not seen its input
  std::vector<Symbol> inputs, outputs;
  std::vector<Layer> layers;  // in graph order
  std::vector<std::shared_ptr<Variable>> variables;
  Arena params, states, gradients;
  std::vector<Arena> slot_arenas;
  std::map<const Variable*, std::vector<std::shared_ptr<Variable>>> slots;  // of the optimizer
  // Moving averages of the weights, and sums of gradients over several batches: each in one block,
  // in the order of the weights.
  std::map<const Variable*, std::shared_ptr<Variable>> averages, sums;
  Arena sum_arena;
  std::map<const Variable*, WeightRule> rules;  // where the optimizer has groups

  bool compiled = false;
  bool fitting = false;  // fit() is at work: its step reads the optimizer's memory where it lies
  Optimizer optimizer;
  double given_rate = 0;  // the optimizer's, before callbacks changed it
  double ema = 0;         // momentum of the averages; 0: none
  bool averaged = false;  // the weights' memory holds the averages, and the other way round
  std::vector<OutputLoss> losses;  // as they were given
  std::vector<OutputMetrics> metrics;
  std::vector<double> class_weight;  // of the losses in training; empty: all 1
  std::vector<Head> heads;           // made of them once the outputs have names
  std::set<const Variable*> aside;   // that only outputs without a loss are made of
  std::vector<std::string> input_names, output_names;
  Arithmetic precision = F32;
  i64 activation_budget = 0;
  std::shared_ptr<const data::Preprocessing> preprocessing;  // of the table trained on; may be null
  std::uint64_t weight_seed = 0, fit_seed = 0;
  std::vector<std::uint32_t> drawn;  // the variables that got their first values here
  i64 epoch = 0;                     // finished ones
  i64 step = 0;                      // of the optimizer, finished ones

  std::shared_ptr<StepProfile> profile;      // times the training steps to come, if any
  std::shared_ptr<const Plan> trained_plan;  // of the last step that updated weights

  std::vector<std::unique_ptr<TrainGraph>> graphs;
  struct Key {
    Mode mode;
    std::vector<i64> types;  // of all inputs and targets
    bool operator<(const Key& other) const;
  };
  struct Cached {
    std::vector<std::unique_ptr<Executor>> idle;
    std::uint64_t used = 0;
  };
  std::map<Key, Cached> executors;
  std::uint64_t clock = 0;
  std::string device;  // the executors' backend
  std::mutex mutex;    // of executors and graphs: predict() may come from several threads

  std::atomic<bool> ready = false;  // set once all of the above that building fills in is there
  std::mutex build_mutex;           // the first predict() may come from several threads

  bool built() const { return ready; }
  /// Builds from the shapes of one sample if needed; checks the shapes if already built.
  void need_shapes(const std::vector<Shape>& samples, const char* caller, Site where);
  /// What need_shape() does for a model that is not built; safe from several threads.
  void build_once(const Shape& sample);
  void build_sequential(const Shape& sample);
  /// Names, dropout streams, memory and first values, once the graph stands.
  void finish_build();
  /// First values by `seed` for the weights that still have those of another.
  void draw_weights(std::uint64_t seed);
  /// Names of inputs and outputs, once the layers have theirs.
  void name_ends();
  /// Which output has which loss and metrics. Throws GraphError where they do not fit the outputs.
  void resolve_heads();
  /// Which weights are aside, once the heads are known.
  void set_aside();
  /// The losses' names, for messages.
  std::string loss_names() const;
  /// For targets of these types, one a head; the batch and what the outputs leave open become Any.
  TrainGraph& graph_for(const std::vector<TensorType>& targets, bool with_updates);
  /// The rate of the next update.
  double learning_rate() const;
  void set_learning_rate(double value, const char* caller, Site where);
  void forget_plans();
  /// Memory for the optimizer's slots and averages that have none yet, in one block each; how much
  /// that is.
  void allocate_slots();
  i64 missing_slot_bytes() const;
  /// Memory for the sums of gradients; how much that is.
  void allocate_sums();
  i64 sum_bytes() const;
};

/// What a step is made for: its mode, and the types of a whole batch.
struct StepSpec {
  Mode mode = Mode::predict;
  std::vector<TensorType> inputs, targets;  // none of a prediction
  // One an input, or none at all: where one is not empty, the batch is the numbers of its rows,
  // i32, and nothing is copied. For images of bytes that lie in memory.
  std::vector<Tensor> tables = {};

  i64 rows() const { return inputs[0].shape[0]; }
  StepSpec with_rows(i64 rows) const;
  ModelImpl::Key key() const;
};
/// The usual one: samples of the model's own shapes, whose other dimensions are known.
StepSpec step_spec(const ModelImpl& model, Mode mode, i64 rows,
                   const std::vector<TensorType>& targets);

/// An executor taken from the model for a while; goes back when the lease ends.
class ExecutorLease {
 public:
  ExecutorLease(ModelImpl& model, const StepSpec& spec);
  ExecutorLease(ModelImpl& model, Mode mode, i64 rows, const TensorType& target);
  ~ExecutorLease();
  ExecutorLease(const ExecutorLease&) = delete;
  ExecutorLease& operator=(const ExecutorLease&) = delete;
  Executor* operator->() const { return executor_.get(); }
  Executor& operator*() const { return *executor_; }
  const StepSpec& spec() const { return spec_; }
  /// Of the step's inputs, then of its targets.
  BatchMemory memory() const { return {memory_.data(), executor_->plan().bands.data()}; }
  /// Of the step's numbers; null for a prediction.
  const TrainGraph* graph() const { return graph_; }

 private:
  void make_executor();
  void find_memory();

  ModelImpl& model_;
  StepSpec spec_;
  const TrainGraph* graph_ = nullptr;
  std::vector<void*> memory_;
  std::unique_ptr<Executor> executor_;
};

struct ModelRecord;
/// What a model file holds of a built model; its tensors share the model's memory. The caller holds
/// the model's mutex.
ModelRecord record_of(ModelImpl& model);
/// What a model file holds as a model; `path` is for messages. Throws FormatError when the parts do
/// not fit together.
std::shared_ptr<ModelImpl> model_of(const ModelRecord& record, const std::string& path);

/// The plan of a step, unbound; for executors, summaries and the memory report.
std::shared_ptr<const Plan> plan_for(ModelImpl& model, const StepSpec& spec);
/// True when the steps that read an input out of a table take its bytes where they are: nothing is
/// gained by those that a step of its own must copy.
bool reads_tables(ModelImpl& model, const StepSpec& spec);
/// Of a model with one output, whose target is of this type.
std::shared_ptr<const Plan> plan_for(ModelImpl& model, Mode mode, i64 rows,
                                     const TensorType& target);

/// Weights with their gradients in the last step that updated them, before clipping; views of the
/// model's memory, overwritten by the next step. Of an accumulation: of all its batches.
std::vector<std::pair<std::string, Tensor>> last_gradients(const ModelImpl& model);

/// The scalars of the next step of the optimizer; the status is cleared.
void begin_step(const ModelImpl& model, StepScalars& scalars);

/// Type of the target that data of this shape (of one sample) and dtype becomes.
TensorType target_type(const Shape& sample, DType dtype);
/// What a Model points to; GraphError for an empty one.
ModelImpl& need(const Shared<ModelImpl>& impl);
/// Throws GraphError in a callback of the model's own fit().
void need_no_fit(const ModelImpl& model, const char* caller, Site site);
/// The workers that steps run on, and the device chosen by set_device().
WorkerPool& worker_pool();
std::mutex& worker_mutex();
const Backend& current_backend();

}  // namespace goneuron
