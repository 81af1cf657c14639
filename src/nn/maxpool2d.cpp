// MaxPool2D: the largest element of each window, channel by channel; padding never wins.
#include "nn/options.h"
#include "nn/pool.h"

namespace goneuron {

namespace {
constexpr PoolKind max_pool{"MaxPool2D", "max_pool2d", "maxpool2d"};
}

Layer MaxPool2D(Size2 kernel, const PoolOptions& options, Site site) {
  return make_pool(max_pool, Any, kernel, options, site);
}

Layer MaxPool2D(Size2 kernel, i64 stride, Site site) {
  check_count(stride, "cells of stride", "MaxPool2D", site);
  return make_pool(max_pool, Any, kernel, {.stride = stride}, site);
}

Layer MaxPool2D(i64 channels, i64 kernel, i64 stride, i64 padding, Site site) {
  check_count(channels, "channels", "MaxPool2D", site);
  check_count(stride, "cells of stride", "MaxPool2D", site);
  return make_pool(max_pool, channels, kernel, {.stride = stride, .padding = padding}, site);
}

}  // namespace goneuron
