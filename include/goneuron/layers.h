// The layers: factories that return a Layer. Shapes below leave out the batch; features are on the
// last axis. Each has the short form with an options aggregate, and the positional form with
// explicit input sizes.
#pragma once

#include <concepts>

#include "goneuron/initializer.h"
#include "goneuron/layer.h"

namespace goneuron {

/// Same: output = ceil(input / stride), zeros split evenly with the odd one after (as Keras).
/// Valid: none. A number: that many zeros on every side.
struct Padding {
  enum class Mode { fixed, same };
  template <std::integral Number>
  constexpr Padding(Number amount) : amount(static_cast<i64>(amount)) {}  // NOLINT: converts
  constexpr Padding(Mode mode) : mode(mode) {}                            // NOLINT: converts
  Mode mode = Mode::fixed;
  i64 amount = 0;
};
inline constexpr Padding Same{Padding::Mode::same};
inline constexpr Padding Valid{0};

/// Height and width; a single number is both.
struct Size2 {
  template <std::integral Number>
  constexpr Size2(Number both)  // NOLINT: converts on purpose
      : height(static_cast<i64>(both)), width(height) {}
  constexpr Size2(i64 height, i64 width) : height(height), width(width) {}
  i64 height, width;
};

/// The entry of a functional model: a symbol of `shape` (without the batch).
Symbol Input(const Shape& shape, DType dtype = DType::f32, Site site = Site::here());
struct InputOptions {
  DType dtype = DType::f32;  ///< i32 for tokens
  const char* name = "";     ///< for data by name; "input", "input_1", ... unless set
};
Symbol Input(const Shape& shape, const InputOptions& options, Site site = Site::here());

struct DenseOptions {
  Activation activation = Linear;
  bool bias = true;
  Initializer weight_init = TorchDefault;
  Initializer bias_init = TorchDefault;
  const char* name = "";
};
/// [.., in] -> [.., units]: x W + b, W [in, units]. Throws ShapeError when `in` differs from the
/// weight's.
Layer Dense(i64 units, const DenseOptions& options = {}, Site site = Site::here());
Layer Dense(i64 units, const Activation& activation, Site site = Site::here());
Layer Dense(i64 in, i64 out, const Activation& activation = Linear, Site site = Site::here());

struct Conv2DOptions {
  Size2 stride = 1;
  Padding padding = Valid;
  Size2 dilation = 1;  ///< step from tap to tap of the kernel (Yu & Koltun 2016)
  i64 groups = 1;      ///< the filters of a group see the input channels of that group alone
  Activation activation = Linear;
  bool bias = true;
  Initializer weight_init = TorchDefault;
  Initializer bias_init = TorchDefault;
  const char* name = "";
};
/// [h, w, in] -> [h', w', filters]; weights [kh, kw, in / groups, filters]; cross-correlation, as
/// everyone's. h' = floor((h + 2 p - d (k - 1) - 1) / s) + 1. Throws ShapeError when the groups do
/// not divide the input channels, GraphError when they do not divide the filters.
Layer Conv2D(i64 filters, Size2 kernel, const Conv2DOptions& options = {},
             Site site = Site::here());
Layer Conv2D(i64 filters, Size2 kernel, const Activation& activation, Site site = Site::here());
Layer Conv2D(i64 in, i64 out, i64 kernel, i64 stride, i64 padding,
             const Activation& activation = Linear, Site site = Site::here());

struct DepthwiseConv2DOptions {
  Size2 stride = 1;
  Padding padding = Valid;
  Size2 dilation = 1;
  i64 depth_multiplier = 1;  ///< outputs a channel
  Activation activation = Linear;
  bool bias = true;
  Initializer weight_init = TorchDefault;
  Initializer bias_init = TorchDefault;
  const char* name = "";
};
/// [h, w, c] -> [h', w', c depth_multiplier]: Conv2D with as many groups as channels; weights [kh,
/// kw, 1, c depth_multiplier] (Howard et al. 2017).
Layer DepthwiseConv2D(Size2 kernel, const DepthwiseConv2DOptions& options = {},
                      Site site = Site::here());

struct PoolOptions {
  Size2 stride = 0;  ///< 0: as the kernel
  Padding padding = Valid;
  const char* name = "";
};
/// [h, w, c] -> [h', w', c]; h' = floor((h + 2 p - k) / s) + 1. Padding counts as -infinity.
Layer MaxPool2D(Size2 kernel, const PoolOptions& options = {}, Site site = Site::here());
Layer MaxPool2D(Size2 kernel, i64 stride, Site site = Site::here());
Layer MaxPool2D(i64 channels, i64 kernel, i64 stride, i64 padding, Site site = Site::here());
/// The mean of each window; padding counts as zeros in it, as in PyTorch.
Layer AvgPool2D(Size2 kernel, const PoolOptions& options = {}, Site site = Site::here());
Layer AvgPool2D(Size2 kernel, i64 stride, Site site = Site::here());
/// [h, w, c] -> [c]
Layer GlobalAvgPool2D(Site site = Site::here());

/// [a, b, ..] -> [a b ..]
Layer Flatten(Site site = Site::here());
/// To `shape` (without the batch), as many elements; one dimension may be Any.
Layer Reshape(const Shape& shape, Site site = Site::here());
/// In training sets a share `rate` in [0, 1) to zero and scales the rest by 1 / (1 - rate).
Layer Dropout(double rate, Site site = Site::here());

struct BatchNormOptions {
  double momentum = 0.1;  ///< share of the new batch in the running statistics, as in PyTorch
  double epsilon = 1e-5;
  bool scale = true, shift = true;
  const char* name = "";
};
/// Over the last axis, statistics over all others (Ioffe & Szegedy 2015); running variance
/// unbiased. Frozen it is, in training too, what it is in inference.
Layer BatchNorm(const BatchNormOptions& options = {}, Site site = Site::here());

/// An activation as a layer.
Layer Activate(const Activation& activation, Site site = Site::here());
/// Sum of two or more symbols of one shape: Add()({a, b}).
Layer Add(Site site = Site::here());
struct ConcatOptions {
  int axis = -1;  ///< counts the batch as 0
};
/// Joins along an axis: Concat()({a, b}).
Layer Concat(const ConcatOptions& options = {}, Site site = Site::here());

}  // namespace goneuron
