#include "data/elements.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <vector>

#include "core/checked_math.h"
#include "core/message.h"

namespace goneuron::data {

namespace {

constexpr size_t chunk_bytes = size_t{1} << 18;

/// What a header promises.
struct Promise {
  Shape shape;
  DType dtype;
  i64 header, bytes;
};

[[noreturn]] void truncated(const ByteSource& source, const Promise& wanted, i64 found) {
  throw_format({source.where(),
                "the file ends after " + std::to_string(found) + " bytes of elements; expected " +
                    std::to_string(wanted.bytes) + " for " + wanted.shape.str() + " " +
                    dtype_name(wanted.dtype),
                {{"file", source.file()}, {"byte", std::to_string(wanted.header + found)}},
                "the file is truncated or its header is damaged; download or copy it again"});
}

/// Elements of unknown true length: chunks as they come, joined once all are there.
Tensor read_chunks(ByteSource& source, const Promise& wanted) {
  std::vector<std::unique_ptr<std::uint8_t[]>> chunks;
  const auto total = static_cast<size_t>(wanted.bytes);
  for (size_t done = 0; done < total;) {
    const size_t size = std::min(chunk_bytes, total - done);
    chunks.push_back(std::make_unique_for_overwrite<std::uint8_t[]>(size));
    const size_t found = source.read(chunks.back().get(), size);
    done += found;
    if (found < size) truncated(source, wanted, static_cast<i64>(done));
  }
  Tensor out(wanted.shape, wanted.dtype);
  auto* to = static_cast<std::uint8_t*>(out.raw());
  for (size_t i = 0; i < chunks.size(); ++i) {
    const size_t first = i * chunk_bytes;
    std::memcpy(to + first, chunks[i].get(), std::min(chunk_bytes, total - first));
    chunks[i].reset();
  }
  return out;
}

template <size_t size>
void swap_words(void* memory, i64 bytes) {
  auto* at = static_cast<std::uint8_t*>(memory);
  for (auto* const end = at + bytes; at < end; at += size) std::reverse(at, at + size);
}

}  // namespace

Tensor read_elements(ByteSource& source, const Shape& shape, DType dtype, i64 header) {
  const Promise wanted{shape, dtype, header, checked_mul(shape.elements(), dtype_size(dtype))};
  if (wanted.bytes == 0) return Tensor(shape, dtype);
  const i64 present = source.remaining();
  if (present < 0) {
    try {
      return read_chunks(source, wanted);
    } catch (const std::bad_alloc&) {
      throw_memory({source.where(),
                    "no memory for " + std::to_string(wanted.bytes) + " bytes",
                    {{"file", source.file()}},
                    "free some memory or use a smaller file"});
    }
  }
  if (present < wanted.bytes) truncated(source, wanted, present);
  Tensor out(shape, dtype);
  const size_t found =
      source.read(static_cast<std::uint8_t*>(out.raw()), static_cast<size_t>(wanted.bytes));
  if (static_cast<i64>(found) < wanted.bytes) truncated(source, wanted, static_cast<i64>(found));
  return out;
}

void swap_bytes(Tensor& tensor) {
  switch (dtype_size(tensor.dtype())) {
    case 2:
      return swap_words<2>(tensor.raw(), tensor.bytes());
    case 4:
      return swap_words<4>(tensor.raw(), tensor.bytes());
    case 8:
      return swap_words<8>(tensor.raw(), tensor.bytes());
    default:
      return;
  }
}

}  // namespace goneuron::data
