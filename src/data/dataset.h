// DatasetImpl: what a Dataset handle points to; immutable, so that chaining shares it.
// Used by dataset.cpp, buckets.cpp and the loader.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "core/ownership.h"
#include "data/source.h"
#include "goneuron/dataset.h"

namespace goneuron {

namespace data {
struct Preprocessing;
}

enum class Prefetch { when_mapped, on, off };

/// One input or target.
struct Column {
  std::string name;  // "" where they are given by position
  Tensor stored;     // [samples, ...]
  Shape shape;       // of one sample, after the maps
  DType dtype = DType::f32;
};

/// What the source of a data set gives, before any map.
struct StoredType {
  Shape shape;  // of one sample
  DType dtype;
  i64 bytes() const;
};

/// Which rows of the storage are the samples, in order.
struct RowList {
  i64 first = 0, count = -1;                               // -1: all of the storage
  std::shared_ptr<const std::vector<std::uint32_t>> list;  // null: the rows from `first` on
  i64 operator[](i64 i) const {
    return list ? i64{(*list)[static_cast<size_t>(first + i)]} : first + i;
  }
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
    Callable<Samples(const Samples&, const SampleContext&)> function;
    Site site;
    bool mixes = false;  // samples with each other, so that they are of no one class
  };
  bool weighted = false;             // the last one of y is the samples' weights
  RowList chosen;                    // of the columns' tensors or of the source; not of buckets
  std::vector<Map> maps;             // in order
  std::vector<StoredType> unmapped;  // types of x, then y, before the maps; empty without maps
  // Of the table that the samples are rows of, as they are in it.
  std::shared_ptr<const data::Preprocessing> preprocessing;
  std::optional<std::uint64_t> shuffle_seed;
  i64 shuffle_rows = 16384;  // mixed with each other where samples are read in blocks
  int threads = 1;           // that read and map
  i64 batch_size = 0;        // 0: not set
  Prefetch prefetch = Prefetch::when_mapped;
  // Buckets: one data set a length, and what they were made of. Then the columns above have no
  // tensors, and Any where the buckets differ.
  std::vector<std::shared_ptr<const DatasetImpl>> buckets;
  std::shared_ptr<const RaggedData> sequences;
  std::vector<std::uint32_t> rows;  // of a bucket: its samples' places in the whole

  i64 size() const;
  bool prefetched() const {
    return prefetch == Prefetch::on || (prefetch == Prefetch::when_mapped &&
                                        (!maps.empty() || (source && !source->in_memory())));
  }
  /// Types of x, then y, as stored.
  std::vector<StoredType> stored_types() const;
  /// Samples [first, first + count) before the maps into memory[c], [count, ..] each, as they are
  /// in `epoch` under `seed`.
  void read(i64 first, i64 count, void* const* memory, i64 epoch = 0, std::uint64_t seed = 0) const;
  /// Every sample in order, mapped as in epoch 0 with the seed 0; read a stretch at a time.
  void each(const std::function<void(i64 index, const Samples& sample)>& use) const;
  /// Sample `index` before the maps; a copy, as what a map does must not reach the storage.
  Samples stored(i64 index, i64 epoch = 0, std::uint64_t seed = 0) const;
  size_t targets() const { return y.size() - (weighted ? 1 : 0); }
  /// The function of `map`, which does not see the weights.
  Samples apply(const Map& map, Samples sample, const SampleContext& context) const;
  /// Itself, or its buckets.
  std::vector<const DatasetImpl*> parts() const;
  /// The sample through the maps. Throws DataError when its shapes or dtypes are not those of the
  /// first.
  Samples mapped(Samples sample, const SampleContext& context) const;
};

/// Buckets of sequences that have been checked.
std::shared_ptr<DatasetImpl> bucketed(std::shared_ptr<const RaggedData> sequences);

/// The data set, or a DataError that there is none.
const DatasetImpl& need_data(const Shared<const DatasetImpl>& impl, const char* function,
                             Site site);
/// Throws DataError for sequences in buckets.
void refuse_buckets(const DatasetImpl& impl, const char* function, Site site);
/// "x", or "x \"image\"" or "x 2" among several.
std::string column_label(const char* role, const std::vector<Column>& columns, size_t i);
std::string type_text(const Shape& shape, DType dtype);
inline std::string type_text(const Tensor& tensor) {
  return type_text(tensor.shape(), tensor.dtype());
}
/// Samples [begin, end), everything else as it is; those of `samples`. No data is copied, but for
/// sequences in buckets.
Dataset slice_of(const DatasetImpl& from, i64 begin, i64 end);
Dataset chosen_from(const DatasetImpl& from, const std::vector<std::uint32_t>& samples);

}  // namespace goneuron
