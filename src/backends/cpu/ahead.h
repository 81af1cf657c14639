// Memory that is worked on next, asked for bit by bit while something is computed: all of it at
// once would fill the buffers in which a core waits for lines.
#pragma once

#include <algorithm>

#include "core/checked_math.h"

namespace goneuron::cpu {

/// Pieces of `length` floats that lie `stride` apart, of which every call of fetch() asks for the
/// next `rate` lines, into the second-level cache.
struct Ahead {
  static constexpr i64 line = 16;
  const float* piece = nullptr;
  i64 length = 0, stride = 0, pieces = 0;
  i64 rate = 0;
  i64 at = 0;

  /// Spreads what there is over so many calls of fetch().
  void spread(i64 calls) {
    rate = ceil_div(ceil_div(length, line) * pieces, std::max<i64>(calls, 1));
  }
  [[gnu::always_inline]] void fetch() {
    if (pieces <= 0) return;
    for (i64 left = rate; left > 0; --left) {
      __builtin_prefetch(piece + at, 0, 2);
      at += line;
      if (at < length) continue;
      at = 0;
      piece += stride;
      if (--pieces == 0) return;
    }
  }
};

/// What a register tile asks for with every few steps: the next tile's sums, to be written, and
/// what comes next of the operands.
struct Fetches {
  static constexpr i64 steps = 16;  // between two calls
  const float* c = nullptr;
  i64 c_row = 0, c_half = 0, c_rows = 0, c_rate = 0;
  Ahead a, b;

  static i64 calls(i64 depth) { return ceil_div(depth, steps); }
  [[gnu::always_inline]] void operator()() {
    for (i64 left = std::min(c_rate, c_rows); left > 0; --left, c += c_row) {
      __builtin_prefetch(c, 1);
      __builtin_prefetch(c + c_half, 1);
    }
    c_rows -= c_rate;
    a.fetch();
    b.fetch();
  }
};

}  // namespace goneuron::cpu
