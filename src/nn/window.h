// LayerWindow: the geometry of a sliding 2-D window (kernel, stride, padding).
// Shared by Conv2D and the pools; nothing else needs it.
#pragma once

#include "goneuron/layers.h"
#include "graph/layer_impl.h"

namespace goneuron {

struct LayerWindow {
  Size2 kernel, stride;
  Padding padding;
  Size2 dilation = 1;
  Size2 extent() const;  ///< what a window covers
};

struct AxisPadding {
  i64 before = 0, after = 0;
};
/// Zeros around one axis of `size`. Same: output = ceil(size / stride), the odd zero after. `size`
/// may be Any unless Same meets a stride above 1.
AxisPadding axis_padding(i64 size, i64 kernel, i64 stride, const Padding& padding);

/// GraphError for a kernel, stride or dilation below 1, or a negative padding.
void check_window(const LayerWindow& window, const char* kind, Site site);
/// ShapeError unless the input is [batch, h, w, c], with `channels` channels where that is not Any.
/// `short_form` is the factory call that infers the channels, for the hint.
void check_image(const LayerContext& context, i64 channels, const std::string& short_form);
/// kernel_h, kernel_w (with `kernel`), stride_h, stride_w, pad_top, pad_left, pad_bottom,
/// pad_right; dilation_h and dilation_w where they are not 1. ShapeError when the window is larger
/// than the padded input.
Attrs window_attrs(const LayerContext& context, const LayerWindow& window, bool kernel);

}  // namespace goneuron
