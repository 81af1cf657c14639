// Loader: a dataset as batches in a step's dtypes, in the order of an epoch.
// Used by the loops of fit() and evaluate().
#pragma once

#include <memory>

#include "data/convert.h"
#include "data/dataset.h"
#include "data/prefetch.h"

namespace goneuron {

/// Memory of one batch, [rows, ...] each.
struct BatchTarget {
  void* x;
  DType x_type;
  void* y;
  DType y_type;
};

/// The order of `count` samples in `epoch`: Fisher-Yates over Philox, a function of seed and epoch
/// alone.
void shuffled_order(std::uint32_t* order, i64 count, std::uint64_t seed, i64 epoch);

class Loader {
 public:
  /// Batches of `batch_size`, the last one maybe smaller. A seed of the dataset's own goes before
  /// `seed`. Throws DataError for empty data or a batch size below 1, TypeError for dtypes that do
  /// not convert.
  Loader(const Dataset& dataset, i64 batch_size, bool shuffle, std::uint64_t seed, DType x_type,
         DType y_type);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  i64 steps() const { return steps_; }
  /// Rows of the batch of `step`.
  i64 rows(i64 step) const;
  i64 batch_size() const { return batch_size_; }
  /// The data set's row that is row `row` of the batch of `step` in this epoch.
  i64 sample(i64 step, i64 row) const {
    const i64 at = step * batch_size_ + row;
    return shuffle_ ? i64{order_[static_cast<size_t>(at)]} : at;
  }
  /// Goes to the first batch of `epoch`, whatever was read before. Allocates nothing after the
  /// first call.
  void start_epoch(i64 epoch);
  /// Fills the next batch and returns its rows; 0 after the last one. Rows beyond are left as they
  /// are. Rethrows what a map threw. Allocates nothing unless a map does.
  i64 next(const BatchTarget& target);

 private:
  void fill(i64 step, void* x, void* y) const;
  void fetch_ahead(i64 first) const;
  void fill_mapped(i64 first, i64 rows, void* x, void* y) const;

  std::shared_ptr<const DatasetImpl> data_;
  i64 batch_size_ = 0, steps_ = 0, step_ = 0;
  bool shuffle_ = false;
  std::uint64_t seed_ = 0;
  DType x_type_, y_type_;
  GatherRows gather_x_ = nullptr, gather_y_ = nullptr;
  i64 x_elements_ = 0, y_elements_ = 0;          // of one sample
  i64 x_row_bytes_ = 0, y_row_bytes_ = 0;        // of one converted sample
  i64 x_stored_bytes_ = 0, y_stored_bytes_ = 0;  // of one stored sample
  std::vector<std::uint32_t> order_;             // empty: as stored
  Tensor x_half_[2], y_half_[2];                 // the double buffer
  std::unique_ptr<Prefetcher> prefetcher_;       // last: its thread uses all of the above
};

}  // namespace goneuron
