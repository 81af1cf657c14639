// WindowReader: samples of a source that is read block by block, a window of blocks in memory and
// the next one filling up. Used by the loader; not safe to call from two threads, index() apart.
#pragma once

#include "data/order.h"
#include "data/team.h"
#include "goneuron/tensor.h"

namespace goneuron {

class WindowReader {
 public:
  /// `window_rows` are mixed with each other where `shuffled`; a batch must not be larger. The
  /// columns are `row_bytes` each. The team must not be at work when the reader is called.
  WindowReader(const DatasetImpl& data, bool shuffled, i64 window_rows,
               const std::vector<i64>& row_bytes, Team& team);

  void start(std::uint64_t seed, i64 epoch);
  /// Reads what is still missing of the samples at the epoch's places [first, first + count).
  void need(i64 first, i64 count);
  /// Reads so much of the next window as the places before `position` are of this one, so that no
  /// batch waits for a whole window.
  void ahead(i64 position);

  /// Consecutive places in one window, which need() has read.
  struct Run {
    const void* const* columns;    // [rows of the window, row] each
    const std::uint32_t* slots;    // rows of the columns, one a place
    const std::uint32_t* samples;  // of the data set, by row of the columns
    i64 count;
  };
  Run run(i64 position, i64 count) const;
  /// The data set's sample at `position`; for messages, as it works the window's order out anew.
  i64 index(i64 position) const;

 private:
  struct Window {
    i64 number = -1, blocks = 0;  // blocks that have been read
    std::vector<std::uint32_t> samples, slots;
    std::vector<i64> first_row, rows;  // of each block; the storage's row of each sample
    std::vector<Tensor> memory;
    std::vector<void*> columns;
  };
  Window& open(i64 number);
  void read(Window& window, i64 blocks);

  const DatasetImpl& data_;
  BlockOrder order_;
  i64 epoch_ = 0;
  std::uint64_t seed_ = 0;
  std::vector<i64> row_bytes_;
  Team& team_;
  Window windows_[2];
  std::vector<std::vector<void*>> at_;  // one a thread: where a block's columns go
};

}  // namespace goneuron
