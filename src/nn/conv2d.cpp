// Conv2D: cross-correlation of [h, w, in] with weights [kh, kw, in / groups, filters], then bias
// and activation; DepthwiseConv2D: as many groups as channels.
#include "core/checked_math.h"
#include "goneuron/layers.h"
#include "nn/options.h"
#include "nn/window.h"

namespace goneuron {

namespace {
/// What both layers come down to.
struct Convolution {
  i64 in;       // expected channels, or Any
  i64 filters;  // or, with depthwise, filters a channel
  bool depthwise;
  LayerWindow window;
  i64 groups;
  Activation activation;
  bool bias;
  Initializer weight_init, bias_init;
};

std::string short_form(const Convolution& c) {
  const std::string height = std::to_string(c.window.kernel.height),
                    width = std::to_string(c.window.kernel.width);
  const std::string kernel = height == width ? height : "{" + height + ", " + width + "}";
  return c.depthwise ? "DepthwiseConv2D(" + kernel + ")"
                     : "Conv2D(" + std::to_string(c.filters) + ", " + kernel + ")";
}

void check_groups(const LayerContext& context, i64 channels, i64 groups) {
  if (groups == 1) return;
  if (channels == Any)
    context.fail_shape("the input's channels are not known; expected a number that " +
                           std::to_string(groups) + " groups divide",
                       "give the channels to Input()");
  if (channels % groups != 0)
    context.fail_shape("the input has " + std::to_string(channels) +
                           " channels; expected a multiple of the " + std::to_string(groups) +
                           " groups",
                       "groups must divide the input channels and the filters; as many groups as "
                       "channels is DepthwiseConv2D");
}

Symbol build(LayerContext& context, const Convolution& c) {
  check_image(context, c.in, short_form(c));
  Attrs attrs = window_attrs(context, c.window, false);
  const i64 channels = context.input().shape()[3];
  if (c.depthwise && channels == Any)
    context.fail_shape("the input's channels are not known; expected a number",
                       "give the channels to Input()");
  const i64 groups = c.depthwise ? channels : c.groups;
  check_groups(context, channels, groups);
  const i64 filters = c.depthwise ? checked_mul(channels, c.filters) : c.filters;
  if (groups != 1) attrs.set("groups", groups);
  const auto [kernel_h, kernel_w] = c.window.kernel;
  const i64 cells = checked_mul(kernel_h, kernel_w);
  const i64 depth = channels == Any ? Any : channels / groups;
  const i64 fan_in = channels == Any ? 1 : checked_mul(cells, depth);
  const i64 fan_out = checked_mul(cells, filters);
  const Symbol weight = context.parameter("weight", {kernel_h, kernel_w, depth, filters},
                                          c.weight_init, fan_in, fan_out);
  Symbol y = make("conv2d", {context.input(), weight}, attrs);
  if (c.bias)
    y = make("add", {y, context.parameter("bias", {filters}, c.bias_init, fan_in, fan_out)});
  return c.activation(y, {});
}

Layer convolution(const Convolution& c, const char* kind, const char* prefix, const char* name,
                  Site site) {
  check_window(c.window, kind, site);
  check_initializer(c.weight_init, "weight_init", kind, site);
  check_initializer(c.bias_init, "bias_init", kind, site);
  return make_layer({.kind = kind,
                     .prefix = prefix,
                     .name = name,
                     .site = site,
                     .build = [c](LayerContext& context) { return build(context, c); }});
}

Layer conv2d(i64 in, i64 filters, Size2 kernel, const Conv2DOptions& o, Site site) {
  check_count(filters, "filters", "Conv2D", site);
  check_count(o.groups, "groups", "Conv2D", site);
  require(filters % o.groups == 0, "Conv2D", site,
          std::to_string(filters) + " filters in " + std::to_string(o.groups) +
              " groups; expected a multiple of the groups",
          "groups must divide the input channels and the filters");
  return convolution({in,
                      filters,
                      false,
                      {kernel, o.stride, o.padding, o.dilation},
                      o.groups,
                      o.activation,
                      o.bias,
                      o.weight_init,
                      o.bias_init},
                     "Conv2D", "conv2d", o.name, site);
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

Layer DepthwiseConv2D(Size2 kernel, const DepthwiseConv2DOptions& o, Site site) {
  check_count(o.depth_multiplier, "outputs a channel (depth_multiplier)", "DepthwiseConv2D", site);
  return convolution({Any,
                      o.depth_multiplier,
                      true,
                      {kernel, o.stride, o.padding, o.dilation},
                      0,
                      o.activation,
                      o.bias,
                      o.weight_init,
                      o.bias_init},
                     "DepthwiseConv2D", "depthwise_conv2d", o.name, site);
}

}  // namespace goneuron
