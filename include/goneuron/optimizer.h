// Optimizers: values that compile() takes. Arithmetic and defaults are PyTorch's. The learning rate
// is a number or a Schedule; gradients can be clipped, and groups of weights treated apart.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "goneuron/callable.h"
#include "goneuron/layer.h"
#include "goneuron/schedule.h"
#include "goneuron/tensor.h"

namespace goneuron {

struct GroupOptions {
  double learning_rate_scale = 1;           ///< times the optimizer's rate
  std::optional<double> weight_decay = {};  ///< in the place of the optimizer's
  bool trainable = true;                    ///< false: no gradients and no updates
};
/// Weights that an optimizer treats apart, by their names or by a function of them:
///   {"*norm*|*bias", {.weight_decay = 0}}, {"embedding*", {.learning_rate_scale = 0.1}}
/// In a pattern `*` is any text, `?` any character, `|` separates alternatives; names are those of
/// Model::weights(). A weight belongs to the first group that it fits; a group that no weight fits
/// is a GraphError.
struct ParameterGroup {
  ParameterGroup(const char* pattern, const GroupOptions& options)
      : pattern(pattern), options(options) {}
  ParameterGroup(const std::string& pattern, const GroupOptions& options)
      : pattern(pattern), options(options) {}
  ParameterGroup(const Callable<bool(const Weight&)>& fits, const GroupOptions& options)
      : fits(fits), options(options) {}
  /// Weights by their names, as they are.
  ParameterGroup(const std::vector<std::string>& names, const GroupOptions& options)
      : names(names), options(options) {}

  std::string pattern;
  Callable<bool(const Weight&)> fits;
  std::vector<std::string> names;
  GroupOptions options;
};

struct Optimizer {
  enum class Kind { sgd, adam, adamw };
  Kind kind = Kind::sgd;
  double learning_rate = 0.01;  // of step 0
  double momentum = 0;
  bool nesterov = false;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 0;
  Site site;
  Schedule schedule = {};  // not constant: it, and not learning_rate, holds
  double clip_value = 0, clip_norm = 0, global_clip_norm = 0;  // 0: none
  bool decay_norms_and_biases = true;
  std::vector<ParameterGroup> groups = {};
};

struct SGDOptions {
  double momentum = 0;
  bool nesterov = false;
  double weight_decay = 0;             ///< added to the gradient
  bool decay_norms_and_biases = true;  ///< false: no decay of biases and of weights of one axis
  double clip_value = 0;               ///< each number of a gradient is kept within +- this; 0: any
  double clip_norm = 0;                ///< the norm of each weight's gradient is at most this
  double global_clip_norm = 0;         ///< the norm of all gradients together is at most this
  std::vector<ParameterGroup> groups = {};
};
/// Throws GraphError when learning_rate <= 0, with Nesterov without momentum, with two ways to
/// clip.
Optimizer SGD(const Schedule& learning_rate = 0.01, const SGDOptions& options = {},
              Site site = Site::here());

struct AdamOptions {
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 0;  ///< Adam: added to the gradient; AdamW: taken from the weight
  bool decay_norms_and_biases = true;  ///< as in SGDOptions, and what follows
  double clip_value = 0, clip_norm = 0, global_clip_norm = 0;
  std::vector<ParameterGroup> groups = {};
};
/// Kingma & Ba 2015.
Optimizer Adam(const Schedule& learning_rate = 0.001, const AdamOptions& options = {},
               Site site = Site::here());

struct AdamWOptions {
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 0.01;
  bool decay_norms_and_biases = true;  ///< as in SGDOptions, and what follows
  double clip_value = 0, clip_norm = 0, global_clip_norm = 0;
  std::vector<ParameterGroup> groups = {};
};
/// Loshchilov & Hutter 2019.
Optimizer AdamW(const Schedule& learning_rate = 0.001, const AdamWOptions& options = {},
                Site site = Site::here());

}  // namespace goneuron
