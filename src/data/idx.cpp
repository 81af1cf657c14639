#include "data/idx.h"

#include "core/message.h"
#include "data/elements.h"
#include "goneuron/dataset.h"

namespace goneuron::data {

namespace {

struct Header {
  DType dtype = DType::u8;
  Shape shape;
  i64 bytes = 0;  // of the header
  i64 payload = 0;
};

[[noreturn]] void fail(const ByteSource& source, i64 byte, const std::string& what,
                       const std::string& hint) {
  throw_format(
      {source.where(), what, {{"file", source.file()}, {"byte", std::to_string(byte)}}, hint});
}

constexpr const char* not_idx =
    "an IDX file starts with 00 00, a type (08, 09, 0B, 0C, 0D, 0E) and the number of axes (1 to "
    "8)";

std::string hex(unsigned value) {
  constexpr char digits[] = "0123456789ABCDEF";
  return {digits[value >> 4 & 15], digits[value & 15]};
}

DType dtype_of_code(const ByteSource& source, unsigned code) {
  switch (code) {
    case 0x08:
      return DType::u8;
    case 0x09:
      return DType::i8;
    case 0x0B:
      return DType::i16;
    case 0x0C:
      return DType::i32;
    case 0x0D:
      return DType::f32;
    case 0x0E:
      return DType::f64;
    default:
      fail(source, 2, "the element type is " + hex(code) + "; expected 08, 09, 0B, 0C, 0D or 0E",
           not_idx);
  }
}

void read_exactly(ByteSource& source, std::uint8_t* out, size_t count, i64 at) {
  const size_t found = source.read(out, count);
  if (found == count) return;
  const i64 end = at + static_cast<i64>(found);
  fail(source, end,
       "the file ends inside the header; expected " + std::to_string(count) + " bytes from byte " +
           std::to_string(at) + " on",
       end == 0 ? "the file is empty; download or copy it again"
                : "the file is truncated; download or copy it again");
}

Header read_header(ByteSource& source) {
  std::uint8_t magic[4];
  read_exactly(source, magic, 4, 0);
  if (magic[0] != 0 || magic[1] != 0)
    fail(source, magic[0] != 0 ? 0 : 1,
         "the file begins with " + hex(magic[0]) + " " + hex(magic[1]) + "; expected 00 00",
         not_idx);
  Header header;
  header.dtype = dtype_of_code(source, magic[2]);
  const int rank = magic[3];
  if (rank < 1 || rank > Shape::max_rank)
    fail(source, 3, "the number of axes is " + std::to_string(rank) + "; expected 1 to 8", not_idx);
  std::vector<i64> dims;
  header.bytes = 4;
  header.payload = dtype_size(header.dtype);
  for (int axis = 0; axis < rank; ++axis) {
    std::uint8_t word[4];
    read_exactly(source, word, 4, header.bytes);
    dims.push_back(i64{word[0]} << 24 | i64{word[1]} << 16 | i64{word[2]} << 8 | i64{word[3]});
    // Over the cap at any point is refused even when a later axis is 0: products stay far from
    // overflow.
    if (dims.back() > 0 && header.payload > idx_max_bytes / dims.back())
      fail(source, header.bytes,
           "the axes declare more than " + std::to_string(idx_max_bytes) + " bytes",
           "the header is damaged; a file this large must be split");
    header.payload *= dims.back();
    header.bytes += 4;
  }
  header.shape = Shape(dims);
  return header;
}

}  // namespace

Tensor decode_idx(ByteSource& source) {
  const Header header = read_header(source);
  Tensor out = read_elements(source, header.shape, header.dtype, header.bytes);
  std::uint8_t extra = 0;
  if (source.read(&extra, 1) > 0)
    fail(source, header.bytes + header.payload,
         "bytes follow the last element of " + header.shape.str() + " " + dtype_name(header.dtype) +
             "; expected the end of the file",
         "the header is damaged or two files were joined; download or copy it again");
  swap_bytes(out);
  return out;
}

Tensor decode_idx(const std::uint8_t* bytes, size_t size, const std::string& name) {
  return decode_idx(*memory_source(bytes, size, name));
}

Tensor read_idx(const std::string& path, const std::string& where,
                const std::string& missing_hint) {
  return decode_idx(*file_source(path, where, missing_hint));
}

Tensor idx(const std::string& path, Site site) {
  const std::string at = site_text(site);
  const std::string name = path.substr(path.find_last_of('/') + 1);
  const bool well_known =
      name.starts_with("train-images-idx3") || name.starts_with("train-labels-idx1") ||
      name.starts_with("t10k-images-idx3") || name.starts_with("t10k-labels-idx1");
  return read_idx(path, "data::idx" + (at.empty() ? "" : " (" + at + ")"),
                  well_known
                      ? "`apt-get install dataset-fashion-mnist` puts Fashion-MNIST's files of "
                        "these names in /usr/share/datasets/fashion-mnist"
                      : "check the path; plain and .gz files can be read");
}

}  // namespace goneuron::data
