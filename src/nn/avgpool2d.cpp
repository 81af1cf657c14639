// AvgPool2D: the mean of each window, channel by channel; zeros of the padding count, as in
// PyTorch.
#include "nn/options.h"
#include "nn/pool.h"

namespace goneuron {

namespace {
constexpr PoolKind avg_pool{"AvgPool2D", "avg_pool2d", "avgpool2d"};
}

Layer AvgPool2D(Size2 kernel, const PoolOptions& options, Site site) {
  return make_pool(avg_pool, Any, kernel, options, site);
}

Layer AvgPool2D(Size2 kernel, i64 stride, Site site) {
  check_count(stride, "cells of stride", "AvgPool2D", site);
  return make_pool(avg_pool, Any, kernel, {.stride = stride}, site);
}

}  // namespace goneuron
