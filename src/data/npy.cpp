#include "data/npy.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <utility>

#include "core/message.h"
#include "data/elements.h"
#include "goneuron/arrays.h"

namespace goneuron::data {

namespace {

constexpr const char* not_npy = "numpy.save() writes files that begin with 93 4E 55 4D 50 59";

/// The bytes of `count` elements are there as they are; numbers larger than i32 are refused.
template <class From>
Tensor narrowed(const Tensor& raw, const Shape& shape, const ByteSource& source, i64 header) {
  Tensor out(shape, DType::i32);
  auto* to = out.data<std::int32_t>();
  const auto* from = static_cast<const char*>(raw.raw());
  for (i64 i = 0; i < out.size(); ++i) {
    From value;
    std::memcpy(&value, from + i * static_cast<i64>(sizeof value), sizeof value);
    if (std::cmp_less(value, std::numeric_limits<std::int32_t>::min()) ||
        std::cmp_greater(value, std::numeric_limits<std::int32_t>::max()))
      fail_npy(source, header + i * static_cast<i64>(sizeof value),
               "element " + std::to_string(i) + " is " + std::to_string(value) +
                   "; expected numbers of 32 bits with a sign",
               "save it as x.astype(numpy.float64), which is exact up to 2^53");
    to[i] = static_cast<std::int32_t>(value);
  }
  return out;
}

/// The dtype that elements have on the way: of the same size.
DType raw_type(const NpyType& type) {
  if (type.kind == 'f')
    return type.size == 2 ? DType::f16 : type.size == 4 ? DType::f32 : DType::f64;
  switch (type.size) {
    case 1:
      return type.kind == 'i' ? DType::i8 : DType::u8;
    case 2:
      return DType::i16;
    case 4:
      return DType::i32;
    default:
      return DType::f64;
  }
}

Tensor converted(Tensor raw, const NpyType& type, const ByteSource& source, i64 header) {
  if (type.kind == 'u' && type.size == 2)
    return narrowed<std::uint16_t>(raw, type.shape, source, header);
  if (type.kind == 'u' && type.size == 4)
    return narrowed<std::uint32_t>(raw, type.shape, source, header);
  if (type.kind == 'u' && type.size == 8)
    return narrowed<std::uint64_t>(raw, type.shape, source, header);
  if (type.kind == 'i' && type.size == 8)
    return narrowed<std::int64_t>(raw, type.shape, source, header);
  if (type.kind == 'b') {
    auto* values = raw.data<std::uint8_t>();
    for (i64 i = 0; i < raw.size(); ++i)
      if (values[i] > 1)
        fail_npy(source, header + i, "a bool is " + std::to_string(values[i]) + "; expected 0 or 1",
                 "the file is damaged; save it again by numpy.save()");
  }
  return raw;
}

/// From Fortran's order, in which the first axis moves fastest.
Tensor in_c_order(const Tensor& from) {
  Tensor out(from.shape(), from.dtype());
  const int rank = from.shape().rank();
  const auto bytes = static_cast<size_t>(dtype_size(from.dtype()));
  i64 index[Shape::max_rank] = {}, stride[Shape::max_rank] = {};
  i64 step = 1;
  for (int axis = 0; axis < rank; ++axis) {
    stride[axis] = step;
    step *= from.shape()[axis];
  }
  const auto* source = static_cast<const char*>(from.raw());
  auto* to = static_cast<char*>(out.raw());
  i64 at = 0;
  for (i64 i = 0; i < out.size(); ++i, to += bytes) {
    std::memcpy(to, source + static_cast<size_t>(at) * bytes, bytes);
    for (int axis = rank - 1; axis >= 0; --axis) {
      at += stride[axis];
      if (++index[axis] < from.shape()[axis]) break;
      at -= stride[axis] * from.shape()[axis];
      index[axis] = 0;
    }
  }
  return out;
}

void read_exactly(ByteSource& source, void* out, size_t count, i64 at) {
  const size_t found = source.read(static_cast<std::uint8_t*>(out), count);
  if (found == count) return;
  fail_npy(source, at + static_cast<i64>(found),
           "the file ends inside the header; expected " + std::to_string(count) +
               " bytes from byte " + std::to_string(at) + " on",
           at == 0 && found == 0 ? "the file is empty; download or copy it again"
                                 : "the file is truncated; download or copy it again");
}

/// Its bytes before the elements.
i64 read_header(ByteSource& source, NpyType& type) {
  std::uint8_t magic[12];
  read_exactly(source, magic, 8, 0);
  if (std::memcmp(magic, "\x93NUMPY", 6) != 0)
    fail_npy(source, 0, "the file does not begin like an NPY file", not_npy);
  if (magic[6] < 1 || magic[6] > 3 || magic[7] != 0)
    fail_npy(source, 6,
             "the version is " + std::to_string(magic[6]) + "." + std::to_string(magic[7]) +
                 "; expected 1.0, 2.0 or 3.0",
             "save it again by numpy.save()");
  const size_t width = magic[6] == 1 ? 2 : 4;
  read_exactly(source, magic + 8, width, 8);
  i64 length = 0;
  for (size_t i = width; i-- > 0;) length = length << 8 | magic[8 + i];
  if (length > npy_max_header)
    fail_npy(source, 8,
             "the header is " + std::to_string(length) + " bytes long; expected at most " +
                 std::to_string(npy_max_header),
             "the file is damaged; save it again by numpy.save()");
  const i64 first = 8 + static_cast<i64>(width);
  std::string text(static_cast<size_t>(length), '\0');
  read_exactly(source, text.data(), text.size(), first);
  type = parse_npy_header(text, first, source);
  return first + length;
}

}  // namespace

void fail_npy(const ByteSource& source, i64 byte, const std::string& what,
              const std::string& hint) {
  throw_format(
      {source.where(), what, {{"file", source.file()}, {"byte", std::to_string(byte)}}, hint});
}

Tensor decode_npy(ByteSource& source) {
  NpyType type;
  const i64 header = read_header(source, type);
  Tensor raw = read_elements(source, type.shape, raw_type(type), header);
  std::uint8_t extra = 0;
  if (source.read(&extra, 1) > 0)
    fail_npy(source, header + raw.bytes(),
             "bytes follow the last element of " + type.shape.str() + "; expected the end",
             "the header is damaged, or the file holds several arrays: save one a file, or .npz");
  if (type.big_endian) swap_bytes(raw);
  raw = converted(std::move(raw), type, source, header);
  return type.fortran && type.shape.rank() > 1 ? in_c_order(raw) : raw;
}

Tensor decode_npy(const std::uint8_t* bytes, size_t size, const std::string& name) {
  return decode_npy(*memory_source(bytes, size, name));
}

Tensor npy(const std::string& path, Site site) {
  return decode_npy(*file_source(path, user_place("data::npy", site),
                                 "check the path; numpy.save(\"x.npy\", x) writes such files"));
}

void save_npy(const std::string& path, const Tensor& tensor, Site site) {
  const std::string where = user_place("data::save_npy", site);
  const char* descr = "<f4";
  switch (tensor.dtype()) {
    case DType::f32:
      break;
    case DType::f64:
      descr = "<f8";
      break;
    case DType::f16:
      descr = "<f2";
      break;
    case DType::i32:
      descr = "<i4";
      break;
    case DType::i16:
      descr = "<i2";
      break;
    case DType::i8:
      descr = "|i1";
      break;
    case DType::u8:
      descr = "|u1";
      break;
    case DType::bf16:
      throw_type({where,
                  "the tensor is bf16, which NumPy lacks; expected another dtype",
                  {},
                  "convert it first: x.to(DType::f32)"});
  }
  std::string shape;
  for (int axis = 0; axis < tensor.shape().rank(); ++axis)
    shape += std::to_string(tensor.shape()[axis]) +
             (axis + 1 < tensor.shape().rank() || axis == 0 ? "," : "");
  std::string header =
      std::string("{'descr': '") + descr + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 10 - 1, ' ');
  header += '\n';
  const char magic[10] = {'\x93',
                          'N',
                          'U',
                          'M',
                          'P',
                          'Y',
                          1,
                          0,
                          static_cast<char>(header.size() & 255),
                          static_cast<char>(header.size() >> 8)};
  std::FILE* file = std::fopen(path.c_str(), "wbe");
  bool good = file != nullptr && std::fwrite(magic, 1, 10, file) == 10 &&
              std::fwrite(header.data(), 1, header.size(), file) == header.size() &&
              (tensor.empty() ||
               std::fwrite(tensor.raw(), static_cast<size_t>(tensor.bytes()), 1, file) == 1);
  int error = errno;
  if (file != nullptr && std::fclose(file) != 0) {
    if (good) error = errno;
    good = false;
  }
  if (!good)
    throw_data({where,
                std::string("the file cannot be written: ") + std::strerror(error),
                {{"file", path}},
                "check that the folder is there, writable, and its disk not full"});
}

}  // namespace goneuron::data
