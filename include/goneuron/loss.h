// Losses: constant objects, callable with options, or made from a function on symbols. Metrics are
// in metric.h.
#pragma once

#include <optional>

#include "goneuron/callable.h"
#include "goneuron/layer.h"

namespace goneuron {

/// A function of (y_true, y_pred). A loss returns one number a sample, [batch], or anything whose
/// mean over all but the batch is; the mean over the batch is what is minimised and reported. One
/// that counts some positions only returns one number, sum(values * mask, axes) / maximum(sum(mask,
/// axes), 1) over every axis: over several batches, too, the sums are divided, not the ratios
/// averaged. Targets that differ from the predictions by one trailing 1, [batch] for [batch, 1] or
/// the other way round, come in the predictions' shape.
using SymbolFunction = Callable<Symbol(Symbol y_true, Symbol y_pred)>;

class Loss {
 public:
  Loss() = default;
  Loss(const char* name, SymbolFunction function, Site site = Site::here());
  const std::string& name() const { return name_; }
  Symbol operator()(const Symbol& y_true, const Symbol& y_pred) const;

 protected:
  std::string name_;
  SymbolFunction function_;
};

struct CrossEntropyOptions {
  double label_smoothing = 0;
  /// Targets (class indices) of this value count for nothing: the mean is over all others of the
  /// batch, e.g. -1 for the padding of sequences.
  std::optional<i64> ignore_index = {};
  /// The predictions are logits, as PyTorch's cross_entropy takes them: the model ends in a layer
  /// without activation, and its predict() gives logits.
  bool from_logits = false;
};
class CrossEntropyLoss : public Loss {
 public:
  CrossEntropyLoss();
  using Loss::operator();
  Loss operator()(const CrossEntropyOptions& options, Site site = Site::here()) const;
  Loss operator()() const { return *this; }
};

/// Mean squared error: mean((y - p)^2).
extern const Loss MSE;
/// Labels: class indices (integers, [batch]) or one-hot rows (floats, [batch, classes]); for
/// predictions [batch, time, classes] the same with [batch, time], averaged over all of them. After
/// Softmax or LogSoftmax the stable form on logits is used; any other prediction is taken as
/// probabilities: GraphError where a layer without activation makes it (say from_logits), DataError
/// for a value outside [0, 1], in one-hot rows too.
extern const CrossEntropyLoss CrossEntropy;

struct BinaryCrossEntropyOptions {
  /// The predictions are logits, as PyTorch's binary_cross_entropy_with_logits takes them. Metrics
  /// that ask whether a prediction is above 0.5 need their threshold at 0 then.
  bool from_logits = false;
};
class BinaryCrossEntropyLoss : public Loss {
 public:
  BinaryCrossEntropyLoss();
  using Loss::operator();
  Loss operator()(const BinaryCrossEntropyOptions& options, Site site = Site::here()) const;
  Loss operator()() const { return *this; }
};
/// One output a target, each a yes or no of its own. Targets are in [0, 1], else DataError. After
/// Sigmoid the stable form on logits is used; any other prediction is taken as probabilities, as
/// with CrossEntropy.
extern const BinaryCrossEntropyLoss BinaryCrossEntropy;

}  // namespace goneuron
