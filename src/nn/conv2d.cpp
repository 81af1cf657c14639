// Conv2D: cross-correlation of [h, w, in] with weights [kh, kw, in, filters], then bias and
// activation.
#include "core/checked_math.h"
#include "goneuron/layers.h"
#include "nn/options.h"
#include "nn/window.h"

namespace goneuron {

namespace {
std::string short_form(i64 filters, const Size2& kernel) {
  const std::string height = std::to_string(kernel.height), width = std::to_string(kernel.width);
  return "Conv2D(" + std::to_string(filters) + ", " +
         (kernel.height == kernel.width ? height : "{" + height + ", " + width + "}") + ")";
}

Symbol build(LayerContext& context, i64 in, i64 filters, const Window& window,
             const Conv2DOptions& options) {
  check_image(context, in, short_form(filters, window.kernel));
  const Attrs attrs = window_attrs(context, window, false);
  const i64 channels = context.input().shape()[3];
  const auto [kernel_h, kernel_w] = window.kernel;
  const i64 cells = checked_mul(kernel_h, kernel_w);
  const i64 fan_in = channels == Any ? 1 : checked_mul(cells, channels);
  const i64 fan_out = checked_mul(cells, filters);
  const Symbol weight = context.parameter("weight", {kernel_h, kernel_w, channels, filters},
                                          options.weight_init, fan_in, fan_out);
  Symbol y = make("conv2d", {context.input(), weight}, attrs);
  if (options.bias)
    y = make("add", {y, context.parameter("bias", {filters}, options.bias_init, fan_in, fan_out)});
  return options.activation(y, {});
}

Layer conv2d(i64 in, i64 filters, Size2 kernel, const Conv2DOptions& options, Site site) {
  const Window window{kernel, options.stride, options.padding};
  check_count(filters, "filters", "Conv2D", site);
  check_window(window, "Conv2D", site);
  check_initializer(options.weight_init, "weight_init", "Conv2D", site);
  check_initializer(options.bias_init, "bias_init", "Conv2D", site);
  return make_layer(
      {.kind = "Conv2D",
       .prefix = "conv2d",
       .name = options.name,
       .site = site,
       .build = [=](LayerContext& c) { return build(c, in, filters, window, options); }});
}
}  // namespace

Layer Conv2D(i64 filters, Size2 kernel, const Conv2DOptions& options, Site site) {
  return conv2d(Any, filters, kernel, options, site);
}

Layer Conv2D(i64 filters, Size2 kernel, const Activation& activation, Site site) {
  return conv2d(Any, filters, kernel, {.activation = activation}, site);
}

Layer Conv2D(i64 in, i64 out, i64 kernel, i64 stride, i64 padding, const Activation& activation,
             Site site) {
  check_count(in, "input channels", "Conv2D", site);
  return conv2d(in, out, kernel, {.stride = stride, .padding = padding, .activation = activation},
                site);
}

}  // namespace goneuron
