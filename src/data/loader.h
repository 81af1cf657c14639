// Loader: a dataset as batches in a step's dtypes, in the order of an epoch.
// Used by the loops of fit() and evaluate().
#pragma once

#include <memory>

#include "data/convert.h"
#include "data/dataset.h"
#include "data/order.h"
#include "data/prefetch.h"
#include "data/window.h"

namespace goneuron {

/// What one input of a step takes: a column of the data set's inputs or targets, as a dtype; or, of
/// a column in memory, the numbers of its rows, i32.
struct Feed {
  GatherRole role;
  int column;
  DType type;
  bool by_row = false;
};

/// Who fills a batch of arrays together: the workers of the step, so that each finds in its cache
/// what it works on.
class Crew {
 public:
  virtual ~Crew() = default;
  /// Calls part(work, i, parts) for all i below some number `parts`, and waits for them.
  virtual void run(void (*part)(const void* work, i64 index, i64 parts), const void* work) = 0;
};

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
  /// Goes to the batch `first_step` of `epoch`, whatever was read before; what lies before it is
  /// not read. Allocates nothing after the first call.
  void start_epoch(i64 epoch, i64 first_step = 0);
  /// Fills the next batch and returns its rows; 0 after the last one. What lies beyond is left as
  /// it is. A crew fills large batches of arrays. Rethrows what a map or a source threw. Allocates
  /// nothing unless they do.
  i64 next(const BatchMemory& memory, Crew* crew = nullptr);
  /// Seconds spent in next() since start_epoch(): what a step waited for its data.
  double waited() const { return waited_; }

 private:
  /// One feed from one part.
  struct Stream {
    GatherRole role;
    int column;
    DType type, stored_type;
    const void* stored;       // null: the samples come from a source
    GatherRows gather, copy;  // converting from what is stored, null for numbers of rows; of what
                              // is converted
    i64 elements, row_bytes, stored_bytes;  // of one sample, converted and stored
    size_t place;                           // among all columns of the storage
  };
  struct Part {
    const DatasetImpl* data;
    std::vector<Stream> streams;
    i64 first, batches;         // among all batches, unshuffled
    std::uint32_t* order;       // of its samples; null: as stored
    const std::uint32_t* rows;  // of its storage, in that order; null: as stored
  };
  struct Batch {
    const Part* part;
    i64 first, rows;  // among the part's samples
  };
  /// Samples as a source gave them: row slots[i] of each column, or row i where there are no slots.
  struct Stored {
    const void* const* columns;
    const std::uint32_t* slots;
  };
  /// What one thread needs to read a piece of a batch.
  struct Scratch {
    std::vector<i64> rows;
    std::vector<Tensor> memory;
    std::vector<void*> columns;
  };
  void add_part(const DatasetImpl& data, const std::vector<Feed>& feeds);
  void prepare_source();
  void prepare_prefetch();
  Batch batch(i64 step) const;
  void fill(i64 step, const BatchMemory& memory, Crew* crew);
  void fill_arrays(const Batch& batch, i64 step, const BatchMemory& memory, Crew* crew) const;
  /// What one of several threads fills of a feed: some rows, or some bands of all rows.
  struct Share {
    i64 first, rows;
    RowBands row;
  };
  static Share share_of(const Batch& batch, size_t feed, const BatchMemory& memory, i64 part,
                        i64 parts);
  /// Share `part` of a batch, and what it will take of the next one.
  void fill_share(const Batch& batch, i64 step, const BatchMemory& memory, i64 part,
                  i64 parts) const;
  void fetch_ahead(const Batch& batch, const BatchMemory& memory, i64 part, i64 parts) const;
  /// The rows [first, first + count) of a batch by one thread.
  void fill_piece(const Batch& batch, i64 first, i64 count, int thread, const BatchMemory& memory);
  /// Where rows of a batch go from `row` on.
  struct Place {
    const BatchMemory& memory;
    i64 row, rows;  // of `rows` in the batch
  };
  static void* address_of(const Place& place, const Stream& stream, size_t feed);
  /// Converts what was read, through the maps where there are some; `sample(i)` is row i's.
  template <class SampleOf>
  void put(const Part& part, const Stored& from, i64 count, Place to, SampleOf sample) const;
  void put_mapped(const Part& part, Samples sample, i64 index, const Place& to) const;
  i64 index(const Batch& batch, i64 row) const {
    const i64 at = batch.first + row;
    return batch.part->order ? i64{batch.part->order[at]} : at;
  }

  Shared<const DatasetImpl> data_;
  i64 batch_size_ = 0, steps_ = 0, step_ = 0, epoch_ = 0;
  i64 piece_ = 0;  // rows that a thread takes at a time
  double waited_ = 0;
  bool shuffle_ = false;
  std::uint64_t seed_ = 0;
  std::vector<Part> parts_;
  std::vector<std::uint32_t> order_;    // of the samples, part by part; empty: as stored
  std::vector<std::uint32_t> rows_;     // of the storage in that order, where samples were chosen
  std::vector<std::uint32_t> batches_;  // their order; empty: one after the other
  std::unique_ptr<Team> team_;          // null: arrays as they are
  std::unique_ptr<WindowReader> windows_;
  std::vector<Scratch> scratch_;   // one a thread
  std::vector<Tensor> halves_[2];  // the double buffer
  std::vector<void*> half_memory_[2];
  std::unique_ptr<Prefetcher> prefetcher_;  // last: its thread uses all of the above
};

}  // namespace goneuron
