// The dtypes of safetensors files, and which of them a Tensor can have. Used by the reader and the
// writer.
#pragma once

#include <string>
#include <string_view>

#include "goneuron/shape.h"

namespace goneuron {

struct FileDType {
  const char* name;
  i64 size;         // bytes of an element
  bool has_tensor;  // whether Tensor has it, as `dtype`
  DType dtype;
};

/// Null when there is no such dtype.
const FileDType* file_dtype(std::string_view name);
const FileDType& file_dtype(DType dtype);
/// "F32, F64, ...", for messages.
std::string file_dtype_names();

}  // namespace goneuron
