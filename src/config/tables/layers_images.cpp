// Convolutions and pooling, for images [height, width, channels].
#include "config/tables.h"

namespace goneuron::config {
namespace {

constexpr Option size_option(const char* key, const char* fallback, const char* example,
                             const char* meaning, double low = 1) {
  return {key, Type::size, fallback, example, meaning, at_least(low)};
}
constexpr Option kernel = size_option("kernel", required, "3", "height and width of the window");
constexpr Option stride = size_option("stride", "1", "2", "steps of the window");
constexpr Option dilation = size_option("dilation", "1", "2", "step from tap to tap of the kernel");
constexpr Option padding = {"padding",
                            Type::padding,
                            "valid",
                            "same",
                            "zeros around the image: same keeps its size, valid has none",
                            at_least(0)};
constexpr Option pool_stride =
    size_option("stride", "0", "2", "steps of the window; 0: as the kernel", 0);

constexpr Option conv_options[] = {
    {"filters", Type::integer, required, "32", "output channels", at_least(1)},
    kernel,
    stride,
    padding,
    dilation,
    {"groups", Type::integer, "1", "2", "parts that the channels are taken in", at_least(1)},
    activation_option(),
    bias_option,
    weight_init_option,
    bias_init_option};
constexpr Option depthwise_options[] = {
    kernel,
    stride,
    padding,
    dilation,
    {"depth_multiplier", Type::integer, "1", "2", "outputs a channel", at_least(1)},
    activation_option(),
    bias_option,
    weight_init_option,
    bias_init_option};
constexpr Option pool_options[] = {kernel, pool_stride, padding};

PoolOptions pool(const Options& o) {
  return {.stride = make_size(o.value("stride")), .padding = make_padding(o.value("padding"))};
}

constexpr LayerRow image_rows[] = {
    {{"Conv2D", "filters that slide over the image", conv_options},
     [](const Options& o) {
       return Conv2D(o.integer("filters"), make_size(o.value("kernel")),
                     {.stride = make_size(o.value("stride")),
                      .padding = make_padding(o.value("padding")),
                      .dilation = make_size(o.value("dilation")),
                      .groups = o.integer("groups"),
                      .activation = make_activation(o.value("activation")),
                      .bias = o.boolean("bias"),
                      .weight_init = make_initializer(o.value("weight_init")),
                      .bias_init = make_initializer(o.value("bias_init"))},
                     o.site());
     }},
    {{"DepthwiseConv2D", "filters of its own for each channel", depthwise_options},
     [](const Options& o) {
       return DepthwiseConv2D(make_size(o.value("kernel")),
                              {.stride = make_size(o.value("stride")),
                               .padding = make_padding(o.value("padding")),
                               .dilation = make_size(o.value("dilation")),
                               .depth_multiplier = o.integer("depth_multiplier"),
                               .activation = make_activation(o.value("activation")),
                               .bias = o.boolean("bias"),
                               .weight_init = make_initializer(o.value("weight_init")),
                               .bias_init = make_initializer(o.value("bias_init"))},
                              o.site());
     }},
    {{"MaxPool2D", "the largest number of each window", pool_options},
     [](const Options& o) { return MaxPool2D(make_size(o.value("kernel")), pool(o), o.site()); }},
    {{"AvgPool2D", "the mean of each window", pool_options},
     [](const Options& o) { return AvgPool2D(make_size(o.value("kernel")), pool(o), o.site()); }},
    {{"GlobalAvgPool2D", "the mean of each channel over the whole image"},
     [](const Options& o) { return GlobalAvgPool2D(o.site()); }},
};

}  // namespace

std::span<const LayerRow> image_layers() { return image_rows; }

Size2 make_size(const Value& value) {
  i64 height = 0, width = 0;
  if (!value.is_list()) return read_integer(value.text, height) ? Size2(height) : Size2(1);
  read_integer(value.items[0].text, height);
  read_integer(value.items[1].text, width);
  return {height, width};
}

Padding make_padding(const Value& value) {
  i64 amount = 0;
  return value.text == "same" ? Same : read_integer(value.text, amount) ? Padding(amount) : Valid;
}

}  // namespace goneuron::config
