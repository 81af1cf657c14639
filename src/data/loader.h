// Loader: a dataset as batches in a step's dtypes, in the order of an epoch.
// Used by the loops of fit() and evaluate().
#pragma once

#include <memory>

#include "data/convert.h"
#include "data/dataset.h"
#include "data/prefetch.h"

namespace goneuron {

/// What one input of a step takes: a column of the data set's inputs or targets, as a dtype.
struct Feed {
  GatherRole role;
  int column;
  DType type;
};

/// The order of `count` samples in `epoch`: Fisher-Yates over Philox, a function of seed and epoch
/// alone.
void shuffled_order(std::uint32_t* order, i64 count, std::uint64_t seed, i64 epoch);

class Loader {
 public:
  /// Batches of `batch_size` for the inputs of a step, the last one maybe smaller; of buckets, the
  /// last one of each. A seed of the dataset's own goes before `seed`. Throws DataError for empty
  /// data or a batch size below 1, TypeError for dtypes that do not convert.
  Loader(const Dataset& dataset, i64 batch_size, bool shuffle, std::uint64_t seed,
         const std::vector<Feed>& feeds);
  /// One input and one target.
  Loader(const Dataset& dataset, i64 batch_size, bool shuffle, std::uint64_t seed, DType x_type,
         DType y_type);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  i64 steps() const { return steps_; }
  /// Rows of the batch of `step` in this epoch.
  i64 rows(i64 step) const;
  i64 batch_size() const { return batch_size_; }
  /// The bucket of the batch of `step` in this epoch; 0 where there are none.
  int part(i64 step) const;
  /// The data set's row that is row `row` of the batch of `step` in this epoch.
  i64 sample(i64 step, i64 row) const;
  /// Goes to the first batch of `epoch`, whatever was read before. Allocates nothing after the
  /// first call.
  void start_epoch(i64 epoch, i64 first_step = 0);
  /// Fills the next batch, one address a feed, and returns its rows; 0 after the last one. Rows
  /// beyond are left as they are. Rethrows what a map threw. Allocates nothing unless a map does.
  i64 next(void* const* memory);

 private:
  /// One feed from one part.
  struct Stream {
    GatherRole role;
    int column;
    DType type;
    const void* stored;
    GatherRows gather;
    i64 elements, row_bytes, stored_bytes;  // of one sample, converted and stored
  };
  struct Part {
    const DatasetImpl* data;
    std::vector<Stream> streams;
    i64 first, batches;    // among all batches, unshuffled
    std::uint32_t* order;  // of its samples; null: as stored
  };
  struct Batch {
    const Part* part;
    i64 first, rows;  // among the part's samples
  };
  void add_part(const DatasetImpl& data, const std::vector<Feed>& feeds);
  Batch batch(i64 step) const;
  void fill(i64 step, void* const* memory) const;
  void fetch_ahead(const Batch& batch) const;
  void fill_mapped(const Batch& batch, void* const* memory) const;
  i64 index(const Batch& batch, i64 row) const {
    const i64 at = batch.first + row;
    return batch.part->order ? i64{batch.part->order[at]} : at;
  }

  std::shared_ptr<const DatasetImpl> data_;
  i64 batch_size_ = 0, steps_ = 0, step_ = 0;
  bool shuffle_ = false;
  std::uint64_t seed_ = 0;
  std::vector<Part> parts_;
  std::vector<std::uint32_t> order_;    // of the samples, part by part; empty: as stored
  std::vector<std::uint32_t> batches_;  // their order; empty: one after the other
  std::vector<Tensor> halves_[2];       // the double buffer
  std::vector<void*> half_memory_[2];
  std::unique_ptr<Prefetcher> prefetcher_;  // last: its thread uses all of the above
};

}  // namespace goneuron
