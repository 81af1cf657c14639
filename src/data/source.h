// Source: samples that do not lie in memory: files larger than it, images, functions of the index.
// A DatasetImpl that has one leaves its columns' tensors empty. Implemented by one file of
// src/data/ each; read by the loader.
#pragma once

#include <algorithm>

#include "goneuron/shape.h"

namespace goneuron {

class Source {
 public:
  virtual ~Source() = default;
  /// Samples; the same every time, so that an order of them can be fixed by a seed.
  virtual i64 size() const = 0;
  /// Rows that are cheap to read together, those of one number row / block(): of a file that is
  /// parsed from the front, a stretch of it. Shuffling keeps to few blocks at a time. 1: any row
  /// costs the same.
  virtual i64 block() const { return 1; }
  /// Samples rows[0..count) into memory[c], [count, shape of column c] of its dtype, contiguous:
  /// inputs, then targets. Several threads may call it at once. Throws DataError or FormatError
  /// naming file and place.
  virtual void read(const i64* rows, i64 count, void* const* memory) const = 0;

  /// Reading is little more than copying: no thread is needed for it.
  virtual bool in_memory() const { return false; }
  /// How many samples may be read to tell data from other data: few where each takes long, none
  /// where reading has effects, as of a function of the user.
  virtual i64 probes() const { return in_memory() || block() > 1 ? 64 : 2; }
  /// The row behind the last of the block that holds `row`.
  virtual i64 block_end(i64 row) const { return std::min(size(), (row / block() + 1) * block()); }
  /// read() where samples are another in each epoch.
  virtual void read_epoch(const i64* rows, i64 count, void* const* memory, i64 /*epoch*/,
                          std::uint64_t /*seed*/) const {
    read(rows, count, memory);
  }
  /// The targets alone, one address each, where that is much less work: else false, and nothing
  /// is done.
  virtual bool read_targets(const i64* /*rows*/, i64 /*count*/, void* const* /*memory*/) const {
    return false;
  }
};

}  // namespace goneuron
