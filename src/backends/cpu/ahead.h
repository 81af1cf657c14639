// Memory that is worked on next, asked for bit by bit while something is computed: all of it at
// once would fill the buffers in which a core waits for lines.
#pragma once

#include <algorithm>

#include "core/checked_math.h"

namespace goneuron::cpu {

/// Pieces of `length` floats that lie `stride` apart.
struct Region {
  const float* piece = nullptr;
  i64 length = 0, stride = 0, pieces = 0;
};

/// Regions, one after the other, of which every call of fetch() asks for the next `rate` lines,
/// into the second-level cache.
class Ahead {
 public:
  void clear() { *this = {}; }
  void add(const Region& region) {
    if (region.pieces <= 0 || region.length <= 0) return;
    lines_ += ceil_div(region.length, line) * region.pieces;
    (now_.pieces == 0 ? now_ : later_[count_++]) = region;
  }
  /// Spreads what there is over so many calls of fetch().
  void spread(i64 calls) { rate_ = ceil_div(lines_, std::max<i64>(calls, 1)); }

  [[gnu::always_inline]] void fetch() {
    if (now_.pieces == 0) return;
    for (i64 left = rate_; left > 0; --left) {
      __builtin_prefetch(now_.piece + at_, 0, 2);
      at_ += line;
      if (at_ < now_.length) continue;
      at_ = 0;
      now_.piece += now_.stride;
      if (--now_.pieces > 0) continue;
      if (next_ == count_) return;
      now_ = later_[next_++];
    }
  }

 private:
  static constexpr i64 line = 16;
  Region now_, later_[3];
  int next_ = 0, count_ = 0;
  i64 lines_ = 0, rate_ = 0, at_ = 0;
};

/// What a register tile asks for with every few steps: the next tile's sums, to be written, and
/// what comes next of the operands.
struct Fetches {
  static constexpr i64 steps = 16;  // between two calls
  const float* c = nullptr;
  i64 c_row = 0, c_half = 0, c_rows = 0, c_rate = 0;
  Ahead part, panels;  // for the next part of the rows, or the end of this one; for the next panels

  static i64 calls(i64 depth) { return ceil_div(depth, steps); }
  [[gnu::always_inline]] void operator()() {
    for (i64 left = std::min(c_rate, c_rows); left > 0; --left, c += c_row) {
      __builtin_prefetch(c, 1);
      __builtin_prefetch(c + c_half, 1);
    }
    c_rows -= c_rate;
    part.fetch();
    panels.fetch();
  }
};

}  // namespace goneuron::cpu
