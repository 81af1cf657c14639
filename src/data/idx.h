// IDX decoding from memory or a source; used by data::idx, the data sets in that format and the
// fuzzer.
#pragma once

#include <string>

#include "data/byte_source.h"
#include "goneuron/tensor.h"

namespace goneuron::data {

/// The most bytes of elements an IDX file may declare.
inline constexpr i64 idx_max_bytes = i64{1} << 36;

/// One IDX file, plain or gzip; `name` stands for the file in errors. Throws FormatError. Memory
/// stays within twice the bytes that are really there, plus 1 MB, whatever the header declares.
Tensor decode_idx(const std::uint8_t* bytes, size_t size, const std::string& name);
Tensor decode_idx(ByteSource& source);
/// The file at `path`; `where` and `missing_hint` are for errors.
Tensor read_idx(const std::string& path, const std::string& where, const std::string& missing_hint);

}  // namespace goneuron::data
