// Optimizers: values that compile() takes. Arithmetic and defaults are PyTorch's.
#pragma once

#include "goneuron/site.h"
#include "goneuron/tensor.h"

namespace goneuron {

struct Optimizer {
  enum class Kind { sgd, adam, adamw };
  Kind kind = Kind::sgd;
  double learning_rate = 0.01;
  double momentum = 0;
  bool nesterov = false;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 0;
  Site site;
};

struct SGDOptions {
  double momentum = 0;
  bool nesterov = false;
  double weight_decay = 0;  ///< added to the gradient
};
/// Throws GraphError when learning_rate <= 0, or Nesterov without momentum.
Optimizer SGD(double learning_rate = 0.01, const SGDOptions& options = {},
              Site site = Site::here());

struct AdamOptions {
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 0;  ///< Adam: added to the gradient; AdamW: taken from the weight
};
/// Kingma & Ba 2015.
Optimizer Adam(double learning_rate = 0.001, const AdamOptions& options = {},
               Site site = Site::here());

struct AdamWOptions {
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 0.01;
};
/// Loshchilov & Hutter 2019.
Optimizer AdamW(double learning_rate = 0.001, const AdamWOptions& options = {},
                Site site = Site::here());

}  // namespace goneuron
