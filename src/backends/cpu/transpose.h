// The transpose of a block of 4-byte elements, in SIMD chosen at run time.
#pragma once

#include "goneuron/shape.h"

namespace goneuron::cpu {

/// to[j * to_row + i] = from[i * from_row + j] for i < rows, j < columns.
using TransposeBlock = void (*)(const float* from, i64 from_row, i64 rows, i64 columns, float* to,
                                i64 to_row);
TransposeBlock transpose_block();

}  // namespace goneuron::cpu
