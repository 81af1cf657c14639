// Metrics: constant objects, callable with options, or made from a function on symbols. compile()
// takes them; fit() and evaluate() report them, whatever the batches.
#pragma once

#include <optional>

#include "goneuron/callable.h"
#include "goneuron/callback.h"
#include "goneuron/loss.h"

namespace goneuron {

/// What a metric whose value is no mean adds up over the batches of an epoch. Kept in double
/// precision, counts are exact up to 2^53. Derive from it for a metric of your own.
class Accumulator {
 public:
  virtual ~Accumulator() = default;
  /// Numbers that a row must have; 0: any.
  virtual i64 width() const { return 0; }
  /// One number for each, logged as the metric's name with that behind it: {""}, or {"_0", "_1"}.
  virtual std::vector<std::string> suffixes() const { return {""}; }
  /// Called before the first batch of an epoch.
  virtual void reset() = 0;
  /// `rows` of as many numbers as the evidence has on its last axis. Should not allocate from the
  /// second epoch on.
  virtual void add(const float* evidence, i64 rows) = 0;
  /// The numbers so far, one for each suffix.
  virtual void finish(double* numbers) = 0;
  /// True: finish() is too slow to be called after each batch; the running value is then renewed
  /// whenever the rows have doubled, and at the end.
  virtual bool slow() const { return false; }
  /// All that add() has changed since reset(), for checkpoints, and back.
  virtual std::vector<double> state() const = 0;
  virtual void restore(const std::vector<double>& state) = 0;
  /// Which of the library's own it is, as a model file keeps it; a model loaded from a file has
  /// no metrics whose accumulator says nothing here.
  virtual std::string spec() const { return {}; }
};

/// What a metric looks at, computed in the step: f32 [batch, .., k], and what makes one to add it
/// up: a new one whenever it is called, by std::make_unique.
struct Evidence {
  Symbol rows;
  Callable<Shared<Accumulator>()> make;
};
using EvidenceFunction = Callable<Evidence(Symbol y_true, Symbol y_pred)>;

class Metric {
 public:
  Metric() = default;
  /// One number a sample, [batch]; its mean over the data is reported under `name`.
  Metric(const char* name, SymbolFunction function, Site site = Site::here());
  /// One whose value is no mean over samples.
  Metric(const char* name, EvidenceFunction function, Site site = Site::here());
  /// By name: "accuracy", "f1_score", "mae", ... Throws GraphError listing the names that exist.
  Metric(const char* name, Site site = Site::here());  // NOLINT: converts on purpose
  const std::string& name() const { return name_; }
  /// The same under another name.
  Metric named(const std::string& name) const;
  /// True where evidence() says what it is, false where it is the mean of a symbol.
  bool adds_up() const { return static_cast<bool>(evidence_); }
  Symbol operator()(const Symbol& y_true, const Symbol& y_pred) const;
  Evidence evidence(const Symbol& y_true, const Symbol& y_pred) const;
  /// Every name that Metric(name) takes.
  static std::vector<std::string> names();

 private:
  std::string name_;
  SymbolFunction function_;
  EvidenceFunction evidence_;
};

/// The mean of any symbol of the model over samples, logged as `name`: of a hidden layer, say.
Metric MeanOf(const char* name, const Symbol& value, Site site = Site::here());

struct AccuracyOptions {
  std::optional<i64> ignore_index = {};  ///< as CrossEntropy's
};
class AccuracyMetric : public Metric {
 public:
  AccuracyMetric();
  using Metric::operator();
  Metric operator()(const AccuracyOptions& options, Site site = Site::here()) const;
  Metric operator()() const { return *this; }
};

struct BinaryAccuracyOptions {
  double threshold = 0.5;  ///< predictions above it count as 1, targets above 0.5 do
};
class BinaryAccuracyMetric : public Metric {
 public:
  BinaryAccuracyMetric();
  using Metric::operator();
  Metric operator()(const BinaryAccuracyOptions& options, Site site = Site::here()) const;
  Metric operator()() const { return *this; }
};

struct TopKOptions {
  i64 k = 5;
  std::optional<i64> ignore_index = {};  ///< as CrossEntropy's
};
class TopKMetric : public Metric {
 public:
  explicit TopKMetric(bool sparse);
  using Metric::operator();
  Metric operator()(const TopKOptions& options, Site site = Site::here()) const;
  Metric operator()() const { return *this; }
};

/// How numbers of several classes become one.
enum class Average : std::uint8_t {
  automatic,  ///< one output: of its positive class; several: macro
  micro,      ///< counts of all classes together
  macro,      ///< mean over the classes; one that never occurs counts as 0
  weighted,   ///< mean over the classes, weighted by how often each is the target
  per_class   ///< each on its own: "precision_0", "precision_1", ...
};
inline constexpr Average Micro = Average::micro;
inline constexpr Average Macro = Average::macro;
inline constexpr Average Weighted = Average::weighted;
inline constexpr Average PerClass = Average::per_class;

struct ClassMetricOptions {
  Average average = Average::automatic;
  double threshold = 0.5;  ///< of one output, and of several labels at once
  double beta = 1;         ///< of F1Score: how much more recall counts than precision
  /// Each output is a label of its own that may hold or not. Default: where the model ends in
  /// Sigmoid; else the class with the largest output is the prediction.
  std::optional<bool> multi_label = {};
  std::optional<i64> ignore_index = {};  ///< targets of this value count for nothing
  std::string name = {};                 ///< in the logs; empty: the metric's
};
class ClassMetric : public Metric {
 public:
  explicit ClassMetric(const char* name);
  using Metric::operator();
  Metric operator()(const ClassMetricOptions& options, Site site = Site::here()) const;
  Metric operator()() const { return *this; }
};

struct ConfusionMatrixOptions {
  double threshold = 0.5;
  std::optional<i64> ignore_index = {};
};
class ConfusionMatrixMetric : public Metric {
 public:
  ConfusionMatrixMetric();
  using Metric::operator();
  Metric operator()(const ConfusionMatrixOptions& options, Site site = Site::here()) const;
  Metric operator()() const { return *this; }
};

enum class Curve : std::uint8_t { roc, pr };
inline constexpr Curve ROC = Curve::roc;
inline constexpr Curve PR = Curve::pr;

struct AUCOptions {
  Curve curve = ROC;
  bool per_class = false;                ///< else the mean over the classes, each against the rest
  std::optional<i64> ignore_index = {};  ///< targets of this value count for nothing
  std::string name = {};                 ///< empty: "auc"
};
class AUCMetric : public Metric {
 public:
  AUCMetric();
  using Metric::operator();
  Metric operator()(const AUCOptions& options, Site site = Site::here()) const;
  Metric operator()() const { return *this; }
};

struct PerplexityOptions {
  std::optional<i64> ignore_index = {};  ///< as CrossEntropy's
  bool from_logits = false;              ///< as CrossEntropy's
};
class PerplexityMetric : public Metric {
 public:
  explicit PerplexityMetric(bool bits);
  using Metric::operator();
  Metric operator()(const PerplexityOptions& options, Site site = Site::here()) const;
  Metric operator()() const { return *this; }
};

/// Share of right predictions: arg max against class indices or one-hot rows; one output: above
/// 0.5.
extern const AccuracyMetric Accuracy;
/// The same for outputs that are each 0 or 1, of a threshold; for one-hot rows only; for class
/// indices only.
extern const BinaryAccuracyMetric BinaryAccuracy;
extern const Metric CategoricalAccuracy, SparseCategoricalAccuracy;
/// Share of samples whose class is among the k largest outputs (5), the first among equals; of
/// one-hot rows, of class indices.
extern const TopKMetric TopKCategoricalAccuracy, SparseTopKCategoricalAccuracy;

/// Of the predictions of a class, the share that is right; of its targets, the share that is found;
/// their harmonic mean (F-beta, van Rijsbergen 1979). 0 where nothing is there to divide by. With
/// one output: of class 1.
extern const ClassMetric Precision, Recall, F1Score;
/// How often class i is taken for class j: "confusion_matrix[i,j]", at most 22 classes. A logger
/// leaves it out; confusion_matrix(logs) makes a tensor of it.
extern const ConfusionMatrixMetric ConfusionMatrix;
/// Area under the curve, exact: every score is kept for the epoch (8 bytes each). ROC: the chance
/// that a positive scores above a negative, ties half (Mann & Whitney 1947). PR: average precision,
/// the sum of precision x step in recall, without interpolation. NaN while one of the two kinds is
/// missing.
extern const AUCMetric AUC;

/// Of values: mean |y - p|, mean (y - p)^2 and its root, mean 100 |y - p| / max(|y|, 1e-7),
/// 1 - sum (y - p)^2 / sum (y - mean y)^2 (mean over the outputs), and the mean cosine of the angle
/// between y and p along the last axis.
extern const Metric MeanAbsoluteError, MeanSquaredError, RootMeanSquaredError,
    MeanAbsolutePercentageError, R2Score, CosineSimilarity;
/// exp(mean cross-entropy), and mean cross-entropy / log 2, over all targets that count. Labels as
/// CrossEntropy's.
extern const PerplexityMetric Perplexity, BitsPerCharacter;

/// [classes, classes], rows are targets: of the numbers that a ConfusionMatrix logged; `prefix` is
/// "val_" for those of the validation. Throws GraphError where there are none.
Tensor confusion_matrix(const Logs& logs, const std::string& prefix = "", Site site = Site::here());

}  // namespace goneuron
