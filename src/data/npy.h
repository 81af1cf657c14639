// NPY decoding from memory or a source; used by data::npy, data::npz and the fuzzer.
#pragma once

#include <string>

#include "data/byte_source.h"
#include "goneuron/tensor.h"

namespace goneuron::data {

/// The most bytes of elements that a file may declare, and of its header.
inline constexpr i64 npy_max_bytes = i64{1} << 36, npy_max_header = i64{1} << 16;

/// What the header says about the elements.
struct NpyType {
  char kind = 'f';  // b, i, u, f
  i64 size = 4;     // bytes of an element
  bool big_endian = false, fortran = false;
  Shape shape;
};
/// The dict of the header, a Python literal, [begin, end). Throws FormatError with the byte of the
/// file; `first` is that of `text`.
NpyType parse_npy_header(const std::string& text, i64 first, const ByteSource& source);

/// One array; the source must end behind it. Memory stays within twice the larger of the bytes
/// that are there and those of the result, plus 1 MB.
Tensor decode_npy(ByteSource& source);
/// `name` stands for the file in errors.
Tensor decode_npy(const std::uint8_t* bytes, size_t size, const std::string& name);

[[noreturn]] void fail_npy(const ByteSource& source, i64 byte, const std::string& what,
                           const std::string& hint);

}  // namespace goneuron::data
