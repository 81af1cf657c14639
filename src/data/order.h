// The orders in which an epoch goes through samples: of any sample, and of samples that are cheap
// to read a block at a time. All are functions of seed and epoch alone.
// Used by the loader and by what reads blocks for it.
#pragma once

#include <vector>

#include "goneuron/shape.h"

namespace goneuron {

struct DatasetImpl;

/// The order of `count` samples in `epoch`: Fisher-Yates over Philox, a function of seed and epoch
/// alone. Orders of several `part`s do not resemble each other.
void shuffled_order(std::uint32_t* order, i64 count, std::uint64_t seed, i64 epoch,
                    std::uint32_t part = 0);
/// The same for the batches of several parts.
void shuffled_batches(std::uint32_t* order, i64 count, std::uint64_t seed, i64 epoch);

/// Blocks of samples in an order of their own, cut into windows of a number of rows or a little
/// more; inside a window the samples are mixed. So a whole epoch is read block by block, and memory
/// for two windows is enough. Needs 16 bytes a block, and 4 a sample where samples were chosen.
class BlockOrder {
 public:
  /// Unshuffled the order is that of the samples, and a block is a run of samples that lie in one.
  BlockOrder(const DatasetImpl& data, bool shuffled, i64 window_rows);
  void start(std::uint64_t seed, i64 epoch);

  i64 blocks() const { return static_cast<i64>(begins_.size()) - 1; }
  i64 windows() const { return static_cast<i64>(window_rows_.size()) - 1; }
  i64 window_of(i64 position) const;
  i64 first_row(i64 window) const { return window_rows_[static_cast<size_t>(window)]; }
  i64 rows(i64 window) const { return first_row(window + 1) - first_row(window); }
  i64 first_block(i64 window) const { return window_blocks_[static_cast<size_t>(window)]; }
  /// The most rows that a window has.
  i64 largest() const { return window_size_ + largest_block_ - 1; }
  /// Of the block that is number `place` in this epoch.
  i64 block_rows(i64 place) const;
  /// Its samples, in the order in which they are stored.
  void block(i64 place, std::uint32_t* samples) const;
  /// order[i]: which of the window's samples, block by block, comes at place i.
  void mix(i64 window, std::uint32_t* order) const;

 private:
  size_t number(i64 place) const {
    return shuffled_ ? sequence_[static_cast<size_t>(place)] : static_cast<size_t>(place);
  }

  bool shuffled_;
  i64 window_size_, largest_block_ = 1;
  std::uint64_t key_ = 0;
  std::uint32_t epoch_ = 0;
  std::vector<std::uint32_t> sorted_;  // samples by place in the storage; empty: as they are
  std::vector<i64> begins_;            // of the blocks among these, and the end
  std::vector<std::uint32_t> sequence_;
  std::vector<i64> window_rows_, window_blocks_;  // the first of each, and the end
};

}  // namespace goneuron
