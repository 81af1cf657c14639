// The elements of a file behind its header, whether its length is known or not.
// Used by the readers of IDX and NPY files.
#pragma once

#include "data/byte_source.h"
#include "goneuron/tensor.h"

namespace goneuron::data {

/// The next shape.elements() elements as they are; `header` bytes came before. Throws FormatError
/// when there are fewer. Memory stays within twice the bytes that are there, plus 1 MB.
Tensor read_elements(ByteSource& source, const Shape& shape, DType dtype, i64 header);
/// From big to little endian, or back.
void swap_bytes(Tensor& tensor);

}  // namespace goneuron::data
