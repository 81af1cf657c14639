// Any bytes as an IDX file, plain or gzip: a FormatError, or a tensor whose every byte can be read;
// with memory within twice the bytes decoded + 1 MB, whatever the header declares.
#include <zlib.h>

#include <algorithm>
#include <memory>

#include "data/idx.h"
#include "goneuron/error.h"
#include "malloc_limit.h"

namespace {
// zlib's own count of what the input unpacks to, up to its first error; in place of the library's.
size_t unpacked_bytes(const std::uint8_t* bytes, size_t size) {
  static std::uint8_t sink[1 << 16];
  z_stream stream = {};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) __builtin_trap();
  stream.next_in = const_cast<std::uint8_t*>(bytes);
  stream.avail_in = static_cast<uInt>(size);
  size_t total = 0;
  for (int result = Z_OK; result == Z_OK;) {
    stream.next_out = sink;
    stream.avail_out = sizeof sink;
    result = inflate(&stream, Z_NO_FLUSH);
    total += sizeof sink - stream.avail_out;
    if (result == Z_STREAM_END && stream.avail_in > 0 && inflateReset(&stream) == Z_OK)
      result = Z_OK;
  }
  inflateEnd(&stream);
  return total;
}

void decode(const std::uint8_t* bytes, size_t size) {
  const bool gzip = size >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B;
  const size_t decoded = gzip ? unpacked_bytes(bytes, size) : size;
  const goneuron::fuzz::AllocationPeak peak;
  try {
    const goneuron::Tensor tensor = goneuron::data::decode_idx(bytes, size, "fuzz");
    volatile unsigned sum = 0;
    const auto* at = static_cast<const std::uint8_t*>(tensor.raw());
    for (goneuron::i64 i = 0; i < tensor.bytes(); ++i) sum = sum + at[i];
    if (static_cast<size_t>(tensor.bytes()) > decoded) __builtin_trap();
  } catch (const goneuron::FormatError&) {
  }
  peak.expect_at_most(decoded, gzip ? "gzip" : "plain");
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, size_t size) {
  decode(bytes, size);
  // What is not gzip is also packed first, so that the reader of chunks sees every header.
  if (size >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B) return 0;
  static std::uint8_t packed[1 << 17];
  if (size > sizeof packed / 2) return 0;
  z_stream stream = {};
  if (deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    __builtin_trap();
  stream.next_in = const_cast<std::uint8_t*>(bytes);
  stream.avail_in = static_cast<uInt>(size);
  stream.next_out = packed;
  stream.avail_out = sizeof packed;
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) __builtin_trap();
  deflateEnd(&stream);
  decode(packed, stream.total_out);
  return 0;
}
