// Any bytes as an image: a FormatError, or pixels, which are then converted and resized by every
// path. Memory: what a file may promise is limited by its size (1032 times for deflate, 1536 for
// JPEG, a bit a block); PNG takes that once, JPEG up to three times (progressive coefficients).
// PNG's checksums are put right first, so that what they guard is reached.
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "data/image.h"
#include "goneuron/error.h"
#include "goneuron/images.h"
#include "malloc_limit.h"

namespace {
using namespace goneuron;

std::uint32_t word(const std::uint8_t* at) {
  return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 |
         at[3];
}

void repair(std::vector<std::uint8_t>& png) {
  for (size_t at = 8; at + 12 <= png.size();) {
    const size_t length = word(&png[at]);
    if (length > png.size() - at - 12) return;
    const auto sum =
        static_cast<std::uint32_t>(crc32(0, &png[at + 4], static_cast<uInt>(length + 4)));
    for (size_t i = 0; i < 4; ++i)
      png[at + 8 + length + i] = static_cast<std::uint8_t>(sum >> (24 - 8 * i));
    at += 12 + length;
  }
}

void use(const data::Pixels& image) {
  if (image.values.size() != static_cast<size_t>(image.height * image.width * image.channels))
    __builtin_trap();
  if (image.height * image.width > 1 << 14) return;
  std::uint8_t out[5 * 7 * 4];
  for (i64 channels = 1; channels <= 4; ++channels)
    data::resize(data::with_channels(image, channels), 5, 7, out);
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, size_t size) {
  std::vector<std::uint8_t> input(bytes, bytes + size);
  const bool png = size >= 8 && input[1] == 'P';
  if (png) repair(input);
  // Rows of up to 16 bits a channel, and palettes that grow to 4 bytes a pixel of 1 bit.
  const size_t most = png ? 32 * 1032 * size : 4 * 1536 * size;
  size_t decoded = most;
  const fuzz::AllocationPeak peak;
  try {
    const data::Pixels image = data::decode_image(input.data(), size, {"fuzz", "fuzz"});
    decoded = std::max<size_t>(image.values.size() * (png ? 1 : 2), size);
    peak.expect_at_most(decoded, png ? "PNG" : "JPEG");
    use(image);
  } catch (const FormatError&) {
    peak.expect_at_most(decoded, "no image");
  }
  return 0;
}
