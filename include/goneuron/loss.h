// Losses and metrics: constant objects, callable with options, or made from a function on symbols.
#pragma once

#include "goneuron/layer.h"

namespace goneuron {

/// A function of (y_true, y_pred). A loss returns one number a sample, [batch], or anything whose
/// mean over all but the batch is; the mean over the batch is what is minimised and reported.
using SymbolFunction = std::function<Symbol(Symbol y_true, Symbol y_pred)>;

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
};
class CrossEntropyLoss : public Loss {
 public:
  CrossEntropyLoss();
  using Loss::operator();
  Loss operator()(const CrossEntropyOptions& options, Site site = Site::here()) const;
  Loss operator()() const { return *this; }
};

class Metric {
 public:
  Metric() = default;
  /// One number a sample, [batch]; its mean over the data is reported under `name`.
  Metric(const char* name, SymbolFunction function, Site site = Site::here());
  /// By name: "accuracy", "mean_absolute_error". Throws GraphError listing the names that exist.
  Metric(const char* name, Site site = Site::here());  // NOLINT: converts on purpose
  const std::string& name() const { return name_; }
  Symbol operator()(const Symbol& y_true, const Symbol& y_pred) const;

 private:
  std::string name_;
  SymbolFunction function_;
};

/// Mean squared error: mean((y - p)^2).
extern const Loss MSE;
/// Labels: class indices (integers, [batch]) or one-hot rows (floats, [batch, classes]). After
/// Softmax or LogSoftmax the stable form on logits is used; any other prediction is taken as
/// probabilities.
extern const CrossEntropyLoss CrossEntropy;
/// Targets in [0, 1]. After Sigmoid the stable form on logits is used.
extern const Loss BinaryCrossEntropy;

/// Share of right predictions: arg max against class indices or one-hot rows; one output: above
/// 0.5.
extern const Metric Accuracy;
extern const Metric MeanAbsoluteError;

}  // namespace goneuron
