// Rows of stored data gathered and converted into a step's input.
// Used by the loader, and by predict() for its batches.
#pragma once

#include "goneuron/shape.h"

namespace goneuron {

/// Writes `rows` rows of `row_elements` elements to `out`: row r is row order[r] of `from`, or row
/// r itself when `order` is null. Neither side may overlap. Allocates nothing.
using GatherRows = void (*)(void* out, const void* from, const std::uint32_t* order, i64 rows,
                            i64 row_elements);

enum class GatherRole { input, target };

/// The gather for this pair of dtypes. To a floating dtype, u8 *inputs* become value / 255
/// correctly rounded; all else converts by value. Throws TypeError for pairs that would lose more
/// than a rounding, such as fractional labels to i32; `where` opens the message.
GatherRows gather_for(GatherRole role, DType from, DType to, const char* where);

}  // namespace goneuron
