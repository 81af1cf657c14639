// DatasetImpl: what a Dataset handle points to; immutable, so that chaining shares it.
// Used by dataset.cpp and the loader.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "goneuron/dataset.h"

namespace goneuron {

enum class Prefetch { when_mapped, on, off };

struct DatasetImpl {
  Tensor x, y;  // as stored: [samples, ...]
  struct Map {
    std::function<Sample(const Sample&)> function;
    Site site;
  };
  std::vector<Map> maps;   // in order
  Shape x_shape, y_shape;  // of one sample, after the maps
  DType x_dtype = DType::f32, y_dtype = DType::f32;
  std::optional<std::uint64_t> shuffle_seed;
  i64 batch_size = 0;  // 0: not set
  Prefetch prefetch = Prefetch::when_mapped;

  i64 size() const { return x.shape()[0]; }
  bool prefetched() const {
    return prefetch == Prefetch::on || (prefetch == Prefetch::when_mapped && !maps.empty());
  }
  /// Sample `index` through the maps. Throws DataError when its shapes or dtypes are not those of
  /// the first.
  Sample mapped(i64 index) const;
};

}  // namespace goneuron
