// DatasetImpl: what a Dataset handle points to; immutable, so that chaining shares it.
// Used by dataset.cpp, buckets.cpp and the loader.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "data/source.h"
#include "goneuron/dataset.h"

namespace goneuron {

enum class Prefetch { when_mapped, on, off };

/// One input or target.
struct Column {
  std::string name;  // "" where they are given by position
  Tensor stored;     // [samples, ...]
  Shape shape;       // of one sample, after the maps
  DType dtype = DType::f32;
};

/// The sequences that buckets are made of; kept for split() and take().
struct RaggedData {
  std::vector<Tensor> x, y;  // y: one a sequence
  bool y_has_time = false;
  data::BucketOptions options;
  Site site;
};

struct DatasetImpl {
  std::vector<Column> x, y;
  /// Where the samples come from when the columns hold no tensors; its columns are x, then y.
  std::shared_ptr<const Source> source;
  struct Map {
    std::function<Samples(const Samples&)> function;
    Site site;
  };
  std::vector<Map> maps;  // in order
  std::optional<std::uint64_t> shuffle_seed;
  i64 batch_size = 0;  // 0: not set
  Prefetch prefetch = Prefetch::when_mapped;
  // Buckets: one data set a length, and what they were made of. Then the columns above have no
  // tensors, and Any where the buckets differ.
  std::vector<std::shared_ptr<const DatasetImpl>> buckets;
  std::shared_ptr<const RaggedData> sequences;
  std::vector<std::uint32_t> rows;  // of a bucket: its samples' places in the whole

  i64 size() const;
  bool prefetched() const {
    return prefetch == Prefetch::on || (prefetch == Prefetch::when_mapped && !maps.empty());
  }
  /// Itself, or its buckets.
  std::vector<const DatasetImpl*> parts() const;
  /// Sample `index` through the maps. Throws DataError when its shapes or dtypes are not those of
  /// the first.
  Samples mapped(i64 index) const;
};

/// Buckets of sequences that have been checked.
std::shared_ptr<DatasetImpl> bucketed(std::shared_ptr<const RaggedData> sequences);

}  // namespace goneuron
