// Any bytes as an NPY file, plain or gzip, or as an NPZ archive: a FormatError, or tensors whose
// every byte can be read. Memory stays within twice the larger of the bytes there and the result,
// plus 1 MB; what deflate packs counts as 1032 times its size, which is the most it can be.
// Bytes behind a "Z" are taken as NPY and put into an archive, so that its reader sees them.
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "data/npy.h"
#include "data/npz.h"
#include "goneuron/error.h"
#include "malloc_limit.h"

namespace {
using namespace goneuron;

size_t read_all(const Tensor& tensor) {
  volatile unsigned sum = 0;
  const auto* at = static_cast<const std::uint8_t*>(tensor.raw());
  for (i64 i = 0; i < tensor.bytes(); ++i) sum = sum + at[i];
  return static_cast<size_t>(tensor.bytes());
}

void decode_array(const std::uint8_t* bytes, size_t size) {
  const bool gzip = size >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B;
  size_t decoded = gzip ? 1032 * size : size;
  const fuzz::AllocationPeak peak;
  try {
    decoded = std::max(decoded, read_all(data::decode_npy(bytes, size, "fuzz")));
  } catch (const FormatError&) {
    decoded *= 2;  // of numbers that are converted, the result counts, whose size is not known
  }
  peak.expect_at_most(decoded, gzip ? "gzip" : "plain");
}

void decode_archive(const std::uint8_t* bytes, size_t size) {
  const fuzz::AllocationPeak peak;
  try {
    for (const auto& item : data::decode_npz(*data::random_memory(bytes, size, "fuzz")))
      read_all(item.tensor);
  } catch (const FormatError&) {
  }
  peak.expect_at_most(2 * 1032 * size, "archive");
}

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(i < 8 ? value >> (8 * i) : 0);
}

/// An archive of one stored or deflated file.
std::string archive_of(const std::uint8_t* bytes, size_t size, bool packed) {
  std::string body(reinterpret_cast<const char*>(bytes), size);
  if (packed) {
    z_stream stream = {};
    if (deflateInit2(&stream, 1, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) __builtin_trap();
    body.resize(deflateBound(&stream, size));
    stream.next_in = const_cast<std::uint8_t*>(bytes);
    stream.avail_in = static_cast<uInt>(size);
    stream.next_out = reinterpret_cast<Bytef*>(body.data());
    stream.avail_out = static_cast<uInt>(body.size());
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END) __builtin_trap();
    body.resize(stream.total_out);
    deflateEnd(&stream);
  }
  std::string common;
  put(common, 20, 2), put(common, 0, 2), put(common, packed ? 8 : 0, 2), put(common, 0, 4);
  put(common, crc32(0, bytes, static_cast<uInt>(size)), 4);
  put(common, body.size(), 4), put(common, size, 4), put(common, 5, 2), put(common, 0, 2);
  std::string out = "PK\3\4" + common + "x.npy" + body;
  const size_t list = out.size();
  out += "PK\1\2";
  put(out, 20, 2);
  out += common;
  put(out, 0, 14);
  out += "x.npy";
  const size_t end = out.size();
  out += "PK\5\6";
  put(out, 0, 4), put(out, 1, 2), put(out, 1, 2), put(out, end - list, 4), put(out, list, 4);
  put(out, 0, 2);
  return out;
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, size_t size) {
  if (size > 0 && bytes[0] == 'P') {
    decode_archive(bytes, size);
  } else if (size > 1 && bytes[0] == 'Z') {
    const std::string made = archive_of(bytes + 2, size - 2, (bytes[1] & 1) != 0);
    decode_archive(reinterpret_cast<const std::uint8_t*>(made.data()), made.size());
  } else {
    decode_array(bytes, size);
  }
  return 0;
}
