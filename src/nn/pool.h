// What MaxPool2D and AvgPool2D have in common: options to a window, a window to an op.
#pragma once

#include "nn/window.h"

namespace goneuron {

struct PoolKind {
  const char* kind;    // "MaxPool2D"
  const char* prefix;  // "max_pool2d"
  const char* op;      // "maxpool2d"
};
/// `channels` is Any where they are inferred.
Layer make_pool(const PoolKind& pool, i64 channels, Size2 kernel, const PoolOptions& options,
                Site site);

}  // namespace goneuron
