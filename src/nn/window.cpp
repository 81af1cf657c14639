#include "nn/window.h"

#include <algorithm>

#include "core/checked_math.h"

namespace goneuron {

namespace {
std::string by(i64 height, i64 width) {
  const auto text = [](i64 size) {
    return size == Any ? std::string("any") : std::to_string(size);
  };
  return text(height) + " x " + text(width);
}

std::string sides(i64 height, i64 width) {
  return std::to_string(height) + " x " + std::to_string(width);
}

std::string padding_text(const Padding& padding) {
  return padding.mode == Padding::Mode::same ? "Same" : std::to_string(padding.amount);
}

bool fits(i64 size, const AxisPadding& padding, i64 kernel) {
  return size == Any || checked_add(size, checked_add(padding.before, padding.after)) >= kernel;
}
}  // namespace

AxisPadding axis_padding(i64 size, i64 kernel, i64 stride, const Padding& padding) {
  if (padding.mode == Padding::Mode::fixed) return {padding.amount, padding.amount};
  // With stride 1 the last window starts at size - 1 whatever the size is.
  const i64 last_start = stride == 1 ? size - 1 : (size - 1) / stride * stride;
  const i64 total = std::max<i64>(checked_add(last_start, kernel) - size, 0);
  return {total / 2, total - total / 2};
}

Size2 LayerWindow::extent() const {
  const auto along = [](i64 taps, i64 step) { return checked_add(checked_mul(taps - 1, step), 1); };
  return {along(kernel.height, dilation.height), along(kernel.width, dilation.width)};
}

void check_window(const LayerWindow& window, const char* kind, Site site) {
  const auto [kernel_h, kernel_w] = window.kernel;
  const auto [stride_h, stride_w] = window.stride;
  require(kernel_h >= 1 && kernel_w >= 1, kind, site,
          "a kernel of " + sides(kernel_h, kernel_w) + "; expected at least 1 x 1",
          "pass its side, 3, or height and width, {3, 5}");
  require(stride_h >= 1 && stride_w >= 1, kind, site,
          "a stride of " + sides(stride_h, stride_w) + "; expected at least 1 x 1",
          "the stride is the step from window to window");
  const auto [dilation_h, dilation_w] = window.dilation;
  require(dilation_h >= 1 && dilation_w >= 1, kind, site,
          "a dilation of " + sides(dilation_h, dilation_w) + "; expected at least 1 x 1",
          "the dilation is the step from tap to tap of the kernel; 1 leaves no gaps");
  require(window.padding.amount >= 0, kind, site,
          "a padding of " + std::to_string(window.padding.amount) + "; expected 0 or more",
          "pass a number of zeros for every side, Same or Valid");
}

void check_image(const LayerContext& context, i64 channels, const std::string& short_form) {
  const Shape& shape = context.input().shape();
  if (shape.rank() != 4)
    context.fail_shape(
        "a sample has " + std::to_string(std::max(shape.rank() - 1, 0)) +
            (shape.rank() == 2 ? " axis" : " axes") + "; expected the 3 of an image",
        "images are [height, width, channels]: add Reshape({28, 28, 1}), with your sizes, before "
        "it");
  if (channels != Any && shape[3] != channels)
    context.fail_shape("the input has " + std::to_string(shape[3]) + " channels; expected " +
                           std::to_string(channels) + ", which this layer was made for",
                       "give it the channels that arrive, or let them be inferred: " + short_form);
}

Attrs window_attrs(const LayerContext& context, const LayerWindow& window, bool kernel) {
  const i64 height = context.input().shape()[1], width = context.input().shape()[2];
  const auto [kernel_h, kernel_w] = window.kernel;
  const auto [extent_h, extent_w] = window.extent();
  const auto [stride_h, stride_w] = window.stride;
  const bool same = window.padding.mode == Padding::Mode::same;
  if (same && ((height == Any && stride_h > 1) || (width == Any && stride_w > 1)))
    context.fail_shape("Same padding with a stride depends on the image's size, which is not known",
                       "give the size to Input(), or pass the padding as a number");
  const AxisPadding rows = axis_padding(height, extent_h, stride_h, window.padding);
  const AxisPadding columns = axis_padding(width, extent_w, stride_w, window.padding);
  const bool apart = extent_h != kernel_h || extent_w != kernel_w;
  if (!fits(height, rows, extent_h) || !fits(width, columns, extent_w))
    context.fail_shape("a window of " + by(extent_h, extent_w) +
                           (apart ? " (" + by(kernel_h, kernel_w) + " taps, dilated)" : "") +
                           " is larger than the image; expected at most " + by(height, width) +
                           " with padding " + padding_text(window.padding),
                       apart ? "use a smaller kernel or dilation, padding = Same, or less pooling "
                               "before it"
                             : "use a smaller kernel, padding = Same, or less pooling before it");
  Attrs attrs{{"stride_h", stride_h},     {"stride_w", stride_w},
              {"pad_top", rows.before},   {"pad_left", columns.before},
              {"pad_bottom", rows.after}, {"pad_right", columns.after}};
  if (window.dilation.height != 1) attrs.set("dilation_h", window.dilation.height);
  if (window.dilation.width != 1) attrs.set("dilation_w", window.dilation.width);
  if (kernel) {
    attrs.set("kernel_h", kernel_h);
    attrs.set("kernel_w", kernel_w);
  }
  return attrs;
}

}  // namespace goneuron
