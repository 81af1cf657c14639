// Rows of stored data gathered and converted into a step's input.
// Used by the loader, and by predict() for its batches.
#pragma once

#include <string>

#include "goneuron/tensor.h"

namespace goneuron {

/// Which bands of a row are gathered, and where they go. A row of `from` is `bands` bands of
/// `elements` elements; of those, `count` from `first` on. Those of one row lie `pitch` elements
/// apart at `out`; the rows of one band follow each other.
struct RowBands {
  i64 elements, bands = 1, first = 0, count = 1, pitch = 0;
};
/// Writes `rows` rows to `out`: row r is row order[r] of `from`, or row r itself when `order` is
/// null. Neither side may overlap. Allocates nothing.
using GatherRows = void (*)(void* out, const void* from, const std::uint32_t* order, i64 rows,
                            const RowBands& row);

/// Where a batch goes: an address for each feed, and into how many bands each sample is cut there:
/// the first band of all samples, then the second of all, ... None given: one.
struct BatchMemory {
  BatchMemory(void* const* addresses, const i64* band_counts = nullptr)
      : data(addresses), bands(band_counts) {}
  /// All bands of a feed's samples of `elements`, in a batch of `rows`.
  RowBands row(size_t feed, i64 elements, i64 rows) const {
    const i64 count = bands ? bands[feed] : 1;
    return {elements / count, count, 0, count, elements / count * rows};
  }
  void* const* data;
  const i64* bands;
};

enum class GatherRole { input, target };

/// The gather for this pair of dtypes. To a floating dtype, u8 *inputs* become value / 255
/// correctly rounded; all else converts by value. Throws TypeError for pairs that would lose more
/// than a rounding, such as fractional labels to i32; `where` opens the message. Floating *inputs*
/// become i32 once check_whole() has seen them.
GatherRows gather_for(GatherRole role, DType from, DType to, const char* where);

/// What the message of check_whole() says about the data.
struct WholeCheck {
  std::string where, name;  // "fit() (train.cpp:20)", "x"
  Shape sample;             // of one sample
  i64 first_row = 0;        // of the data set
};
/// Throws DataError, naming row and element, unless floating data for an input of integers holds
/// whole numbers of 32 bits only. Nothing to do for other pairs of dtypes.
void check_whole(const Tensor& data, DType to, const WholeCheck& check);
/// "column 3", or "element [2, 0, 1]" of samples of several axes.
std::string element_text(const Shape& sample, i64 element);

}  // namespace goneuron
