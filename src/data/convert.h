// Rows of stored data gathered and converted into a step's input.
// Used by the loader, and by predict() for its batches.
#pragma once

#include <string>

#include "goneuron/tensor.h"

namespace goneuron {

/// Writes `rows` rows of `row_elements` elements to `out`: row r is row order[r] of `from`, or row
/// r itself when `order` is null. Neither side may overlap. Allocates nothing.
using GatherRows = void (*)(void* out, const void* from, const std::uint32_t* order, i64 rows,
                            i64 row_elements);

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
