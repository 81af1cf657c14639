// Normalisation of each sample by itself: LayerNorm, RMSNorm and GroupNorm. Shapes leave out the
// batch; features are on the last axis. The same in training and in inference.
#pragma once

#include "goneuron/layer.h"

namespace goneuron {

struct LayerNormOptions {
  double epsilon = 1e-5;  ///< added to the variance; PyTorch's default (Keras has 1e-3)
  bool scale = true;      ///< learned factors "weight" [c], ones at first
  bool shift = true;      ///< learned offsets "bias" [c], zeros at first
  const char* name = "";
};
/// [.., c] -> [.., c]: each row of the last axis gets mean 0 and variance 1 (biased), then
/// y = x weight + bias (Ba, Kiros & Hinton 2016). Throws GraphError for an epsilon of 0 or less.
Layer LayerNorm(const LayerNormOptions& options = {}, Site site = Site::here());

struct RMSNormOptions {
  /// Added to the mean square. 1e-6 as in Keras and in T5 and Llama 1; Llama 2 and 3 have 1e-5, and
  /// PyTorch's own default is the dtype's machine epsilon, 1.19e-7.
  double epsilon = 1e-6;
  bool scale = true;  ///< learned factors "weight" [c], ones at first
  const char* name = "";
};
/// [.., c] -> [.., c]: each row of the last axis divided by its root mean square, then times weight
/// (Zhang & Sennrich 2019). Throws GraphError for an epsilon of 0 or less.
Layer RMSNorm(const RMSNormOptions& options = {}, Site site = Site::here());

struct GroupNormOptions {
  double epsilon = 1e-5;  ///< added to the variance; PyTorch's default (Keras has 1e-3)
  bool scale = true;      ///< learned factors "weight" [c], ones at first
  bool shift = true;      ///< learned offsets "bias" [c], zeros at first
  const char* name = "";
};
/// [.., c] -> [.., c]: the channels of a sample in `groups` runs of neighbours; each run, over all
/// places ([h, w] of an image, the steps of a sequence), gets mean 0 and variance 1 (Wu & He 2018).
/// One group is layer norm over the whole sample, as many as channels is instance norm. Throws
/// ShapeError when `groups` does not divide the channels.
Layer GroupNorm(i64 groups, const GroupNormOptions& options = {}, Site site = Site::here());

}  // namespace goneuron
