// Any bytes as an image: a FormatError, or pixels, which are then converted and resized by every
// path. Memory: twice the pixels + 1 MB, as many as there are, or, of what turns out to be broken,
// as the header and the size of the file promise (1032 times it for deflate, 8 blocks a byte for
// JPEG); however much room the decoder gets, a JPEG's pixels are the same.
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

/// The most pixels, by the cap, of four bytes.
constexpr size_t cap = 4 * static_cast<size_t>(data::image_max_pixels);

void use(const data::Pixels& image) {
  if (image.values.size() != static_cast<size_t>(image.height * image.width * image.channels))
    __builtin_trap();
  if (image.height * image.width > 1 << 14) return;
  std::uint8_t out[5 * 7 * 4];
  for (i64 channels = 1; channels <= 4; ++channels)
    data::resize(data::with_channels(image, channels), 5, 7, out);
}
/// The coefficients of a JPEG with several scans go to a file.
void use_less_memory(const std::vector<std::uint8_t>& file, const data::Pixels& image) {
  const size_t pixels = image.values.size();
  if (pixels > 1 << 16) return;
  for (const size_t memory : {size_t{24} << 10, size_t{96} << 10}) {
    data::ImageInput input(file.data(), file.size());
    try {
      if (data::decode_jpeg(input, {"fuzz", "fuzz"}, memory).values != image.values)
        __builtin_trap();
    } catch (const FormatError& error) {  // its rows need more
      if (std::strstr(error.what(), "wide and has few rows") == nullptr) __builtin_trap();
    }
  }
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, size_t size) {
  std::vector<std::uint8_t> input(bytes, bytes + size);
  const bool png = size >= 8 && input[1] == 'P';
  if (png) repair(input);
  // A bit of a palette becomes 4 bytes; a block of one component may stand for 16 of its pixels.
  const size_t most = png ? 32 * 1032 * size : 3 * 16 * 64 * 8 * size;
  const fuzz::AllocationPeak peak;
  data::Pixels image;
  try {
    image = data::decode_image(input.data(), size, {"fuzz", "fuzz"});
    peak.expect_at_most(image.values.size(), png ? "PNG" : "JPEG");
  } catch (const FormatError&) {
    peak.expect_at_most(std::min(most, cap), "no image");
    return 0;
  }
  use(image);
  if (!png) use_less_memory(input, image);
  return 0;
}
