// Model: a graph from inputs to outputs that can be compiled, trained, evaluated, saved and asked
// for predictions. Sequential({...}) and Model(inputs, outputs) give the same type; copying a Model
// shares it.
#pragma once

#include <concepts>
#include <optional>

#include "goneuron/callback.h"
#include "goneuron/dataset.h"
#include "goneuron/layers.h"
#include "goneuron/loss.h"
#include "goneuron/metric.h"
#include "goneuron/optimizer.h"

namespace goneuron {

struct ModelImpl;
namespace data {
struct Preprocessing;
}

/// What predict_rows() says about one target of a table (or all of them, where they are numbers).
struct TargetPrediction {
  std::string name;                 ///< of the column; "a, b" of several
  Tensor output;                    ///< [rows, ..], numbers in the target's own unit
  std::vector<std::string> labels;  ///< of classes: the likeliest for each row
};

/// What fit() returns: one row an epoch.
struct History {
  std::vector<Logs> epochs;
  /// The values of one name over the epochs. Throws GraphError listing the names that exist.
  std::vector<double> operator[](const LogName& name) const;
  /// Written to a temporary file and renamed. Throws FormatError when it cannot be written.
  void save_csv(const std::string& path, Site site = Site::here()) const;
  void save_json(const std::string& path, Site site = Site::here()) const;
  /// What was saved, read back: every number as it was, but for JSON's null, which becomes NaN.
  /// CSVLogger's and JSONLogger's files can be read as well. Throws FormatError naming the line.
  static History load_csv(const std::string& path, Site site = Site::here());
  static History load_json(const std::string& path, Site site = Site::here());
};

/// A loss for one output, and its share in what is minimised: compile(.., {MSE, {CrossEntropy,
/// 0.5}}) in the order of the outputs, or {{"y", MSE}, {"z", CrossEntropy, 0.5}} by their names.
/// An output is named after the layer that makes it; those that are not named are not trained.
struct OutputLoss {
  OutputLoss(const Loss& loss, double weight = 1)  // NOLINT: converts on purpose
      : loss(loss), weight(weight) {}
  OutputLoss(const std::string& output, const Loss& loss, double weight = 1)
      : output(output), loss(loss), weight(weight) {}
  std::string output;  ///< empty: by position
  Loss loss;
  double weight = 1;
};
/// Metrics of one output by name, {"y", {Accuracy}}, or of every output that has a loss: Accuracy.
struct OutputMetrics {
  OutputMetrics(const Metric& metric) : metrics(1, metric) {}  // NOLINT: converts on purpose
  OutputMetrics(const std::string& output, const Metric& metric)
      : output(output), metrics(1, metric) {}
  OutputMetrics(const std::string& output, const std::vector<Metric>& metrics)
      : output(output), metrics(metrics) {}
  OutputMetrics(const std::string& output, std::initializer_list<const char*> names)
      : output(output), metrics(names.begin(), names.end()) {}
  std::string output;  ///< empty: all
  std::vector<Metric> metrics;
};

struct FitOptions {
  i64 epochs = 1;
  i64 batch_size = Any;         ///< Any: the dataset's, else 32
  Dataset validation = {};      ///< evaluated after each epoch, logged as val_*
  double validation_split = 0;  ///< share of the training data's end that is kept for validation
  bool shuffle = true;
  std::uint64_t seed = 0;  ///< of shuffling and dropout
  /// Batches whose gradients make one update, averaged over their samples: as one batch of all of
  /// them, but for layers with statistics of a batch. The last ones of an epoch may be fewer.
  i64 accumulate = 1;
  std::vector<Callback> callbacks = {};
  /// One number a class: the loss of a sample counts that many times in training (not in
  /// validation), e.g. {1, 9} where one sample in ten is of class 1. Targets are class indices or
  /// one-hot rows; weights of samples (Dataset::weighted) are multiplied with it.
  std::vector<double> class_weight = {};
  /// A folder of checkpoints, made where it is missing: fit() goes on from the newest one there and
  /// writes one after each epoch and every five minutes. See BackupAndRestore.
  std::string resume = {};
};

/// What products of matrices and convolutions multiply; everything else is f32 in any case.
enum class Arithmetic : std::uint8_t {
  /// Floats. Where the processor has tiles of bf16 (AMX), larger products add those of their parts,
  /// a float being the sum of three numbers of bf16 (Henry, Tang & Heinecke 2019): twice as fast,
  /// with about half the rounding error of a chain of multiply-adds. An infinite operand gives NaN,
  /// and a prediction of one sample may differ in the last bits from one of a batch.
  f32,
  /// Operands are rounded to bf16 (8 bits of fraction less 1), sums are f32. Depthwise convolutions
  /// stay f32, and without tiles those of 3x3 windows one pixel apart, which save products instead.
  bf16,
};
inline constexpr Arithmetic F32 = Arithmetic::f32;
inline constexpr Arithmetic BF16 = Arithmetic::bf16;

struct CompileOptions {
  /// Of the initial weights; 0 unless it is given. Given for a model that was built before, its
  /// weights are drawn anew, but for those that have been set, loaded or part of a training, or are
  /// of a model used as a layer that was built on its own.
  std::optional<std::uint64_t> seed = {};
  /// Momentum of a moving average of the weights, kept beside them (Polyak & Juditsky 1992): 0.999
  /// is usual; 0: none. use_averaged_weights() and AveragedWeights put it to use.
  double ema = 0;
  /// BF16: mixed precision as of Micikevicius et al. 2018, Kalamkar et al. 2019. Weights and
  /// optimizer stay f32; no loss scaling is needed, since bf16 has the range of f32. About twice as
  /// fast where the processor multiplies tiles (AMX, Intel's since Sapphire Rapids) or pairs of
  /// bf16 at the rate of floats (AMD's since Zen 4). Elsewhere the same operands are rounded and
  /// multiplied as floats, no faster. Attention's operands are rounded only with pairs.
  Arithmetic precision = F32;
  /// Bytes that the activations of a training step may take; 0: as many as they need. Above it, the
  /// plan computes some of them again in the backward half (Chen et al. 2016): the same bits, more
  /// time. OutOfMemory when the budget cannot be reached.
  i64 activation_budget = 0;
};

/// Loaded, missing and unexpected names, and those whose shapes differ.
struct WeightsReport {
  std::vector<std::string> loaded, missing, unexpected, mismatched;
  std::string str() const;
};

class Model {
 public:
  Model() = default;
  explicit Model(Shared<ModelImpl> impl) : impl_(static_cast<Shared<ModelImpl>&&>(impl)) {}
  Model(const std::vector<Symbol>& inputs, const std::vector<Symbol>& outputs,
        Site site = Site::here());
  Model(const Symbol& input, const Symbol& output, Site site = Site::here());
  Model(const std::vector<Symbol>& inputs, const Symbol& output, Site site = Site::here());
  Model(const Symbol& input, const std::vector<Symbol>& outputs, Site site = Site::here());
  /// A model used as a layer shares its weights; set_trainable() of that layer is the model's.
  operator Layer() const;  // NOLINT: converts on purpose
  /// Layer::set_trainable() of every layer that it is made of.
  void set_trainable(bool trainable);

  /// Infers every shape; `input` without the batch. fit() and predict() do it from their data.
  void build(const Shape& input, Site site = Site::here());
  void compile(const Optimizer& optimizer, const Loss& loss,
               const std::vector<Metric>& metrics = {}, const CompileOptions& options = {},
               Site site = Site::here());

  /// A loss for each output, by position or by name; see OutputLoss and OutputMetrics. What is
  /// minimised is their weighted sum; logged are "loss", "y_loss", "y_accuracy", ...
  void compile(const Optimizer& optimizer, const std::vector<OutputLoss>& losses,
               const std::vector<OutputMetrics>& metrics = {}, const CompileOptions& options = {},
               Site site = Site::here());

  /// Steps are planned once for each shape of a batch; the 32 plans used last are kept.
  History fit(const Dataset& data, const FitOptions& options = {}, Site site = Site::here());
  History fit(const Tensor& x, const Tensor& y, const FitOptions& options = {},
              Site site = Site::here());
  /// Several inputs and targets, {a, b} in the model's order or {{"a", a}, {"b", b}} by its names.
  History fit(const Tensors& x, const Tensors& y, const FitOptions& options = {},
              Site site = Site::here());
  History fit(const Tensor& x, const Tensor& y, i64 epochs, i64 batch_size,
              const Callback& callback = nullptr, Site site = Site::here());
  /// Loss and metrics over the data.
  Logs evaluate(const Dataset& data, i64 batch_size = Any, Site site = Site::here()) const;
  Logs evaluate(const Tensor& x, const Tensor& y, i64 batch_size = Any,
                Site site = Site::here()) const;
  Logs evaluate(const Tensors& x, const Tensors& y, i64 batch_size = Any,
                Site site = Site::here()) const;
  /// [n, ..] -> [n, ..]; one sample without the batch axis gives one prediction without it.
  /// Thread-safe.
  Tensor predict(const Tensor& x, i64 batch_size = 256, Site site = Site::here()) const;
  /// Of a model with several inputs and one output.
  Tensor predict(const Tensors& x, i64 batch_size = 256, Site site = Site::here()) const;
  /// Every output, in the model's order.
  std::vector<Tensor> predict_all(const Tensors& x, i64 batch_size = 256,
                                  Site site = Site::here()) const;
  /// Of every sample of a data set in its own order, whatever shuffle() says: mapped, and read a
  /// batch at a time, of its own batch size or 256. Its targets are not used. Throws DataError
  /// where buckets give outputs of several shapes. (A template so that {a, b} are two inputs.)
  template <std::convertible_to<Dataset> Data>
  Tensor predict(const Data& data, i64 batch_size = Any, Site site = Site::here()) const {
    return predict_one(data, batch_size, site);
  }
  template <std::convertible_to<Dataset> Data>
  std::vector<Tensor> predict_all(const Data& data, i64 batch_size = Any,
                                  Site site = Site::here()) const {
    return predict_data(data, batch_size, site);
  }
  /// Of raw rows of the table that the model was trained on: the kept preprocessing makes the input
  /// of them. Rows as of Preprocessing::inputs and inputs_of_csv. Classes come from an output of
  /// one number each, or, of two classes, the probability of the second. Throws GraphError without
  /// a preprocessing, DataError naming row and column for cells that do not fit.
  std::vector<TargetPrediction> predict_rows(const std::vector<std::vector<std::string>>& rows,
                                             Site site = Site::here()) const;
  std::vector<TargetPrediction> predict_csv(const std::string& text,
                                            Site site = Site::here()) const;
  /// Kept with the model and saved; the first fit() on data::csv()'s rows, without a map, does it.
  void set_preprocessing(const data::Preprocessing& preprocessing, Site site = Site::here());
  bool has_preprocessing() const;
  /// Throws GraphError when there is none.
  data::Preprocessing preprocessing(Site site = Site::here()) const;
  /// One step on one batch, in training or in inference.
  Logs train_on_batch(const Tensor& x, const Tensor& y, Site site = Site::here());
  Logs test_on_batch(const Tensor& x, const Tensor& y, Site site = Site::here()) const;
  Logs train_on_batch(const Tensors& x, const Tensors& y, Site site = Site::here());
  Logs test_on_batch(const Tensors& x, const Tensors& y, Site site = Site::here()) const;

  /// Layers, output shapes, parameters, FLOPs, arenas, tiles, what was fused; for batches of
  /// `batch`.
  std::string summary(i64 batch = 32, Site site = Site::here()) const;
  /// Bytes of every arena of a training step, before it runs; targets are guessed from the loss
  /// where none has been seen.
  std::string memory_report(i64 batch = 32, Site site = Site::here()) const;
  /// All that fit(data, options) will hold, last batch and validation included.
  std::string memory_report(const Dataset& data, const FitOptions& options = {},
                            Site site = Site::here()) const;

  /// One .safetensors file: weights, state, optimizer, graph, epoch and seed. Atomic. Throws
  /// FormatError.
  void save(const std::string& path, Site site = Site::here()) const;
  static Model load(const std::string& path, Site site = Site::here());
  /// The weights and state alone, by name, as load_weights() takes them: a .safetensors file of a
  /// third of the size with Adam. Atomic. Throws FormatError.
  void save_weights(const std::string& path, Site site = Site::here()) const;
  /// Weights by name from any .safetensors file.
  WeightsReport load_weights(const std::string& path, Site site = Site::here());

  Layer get_layer(const std::string& name, Site site = Site::here()) const;
  std::vector<Layer> layers() const;
  std::vector<Weight> weights() const;
  i64 parameters() const;
  /// For data by name: inputs are named by Input(shape, {.name = ".."}), outputs after their
  /// layers.
  std::vector<std::string> input_names() const;
  std::vector<std::string> output_names() const;
  const Symbol& input(int index = 0, Site site = Site::here()) const;
  const Symbol& output(int index = 0, Site site = Site::here()) const;
  /// Of the next update.
  double learning_rate() const;
  /// Throws GraphError when the rate follows a schedule.
  void set_learning_rate(double value, Site site = Site::here());
  /// In the place of the optimizer's rate or schedule; what the optimizer knows is kept. Steps
  /// count from compile().
  void set_schedule(const Schedule& schedule, Site site = Site::here());

  /// True: the weights are the moving averages that compile({.ema = ..}) asked for, in evaluate(),
  /// predict(), weights() and save(); false: those in training again. Training needs those.
  void use_averaged_weights(bool averaged, Site site = Site::here());
  bool uses_averaged_weights() const;

  const Shared<ModelImpl>& impl() const { return impl_; }

 private:
  Tensor predict_one(const Dataset& data, i64 batch_size, Site site) const;
  std::vector<Tensor> predict_data(const Dataset& data, i64 batch_size, Site site) const;

  Shared<ModelImpl> impl_;
};

/// While it lives, the model's weights are their moving averages:
///   { const AveragedWeights averaged(model); model.evaluate(test); }
class AveragedWeights {
 public:
  explicit AveragedWeights(const Model& model, Site site = Site::here());
  ~AveragedWeights();
  AveragedWeights(const AveragedWeights&) = delete;
  AveragedWeights& operator=(const AveragedWeights&) = delete;

 private:
  Model model_;
  bool before_;
};

/// A chain of layers; shapes come from the first data, or from build().
Model Sequential(const std::vector<Layer>& layers, Site site = Site::here());

}  // namespace goneuron
