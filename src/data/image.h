// Decoding of PNG and JPEG from memory, and resizing. Used by data::image, data::images and the
// fuzzer.
#pragma once

#include <string>
#include <vector>

#include "data/image_input.h"
#include "goneuron/tensor.h"

namespace goneuron::data {

/// The most pixels of an image, and bytes of a file.
inline constexpr i64 image_max_pixels = i64{1} << 26, image_max_file = i64{1} << 28;

/// For errors.
struct ImagePlace {
  std::string where, file;
};
/// 8 bits a channel, rows from the top.
struct Pixels {
  i64 height = 0, width = 0, channels = 0;
  std::vector<std::uint8_t> values;
};

/// Throws FormatError; sizes are checked before memory is taken, which is at most twice the bytes
/// of the pixels and 1 MiB. A progressive JPEG that needs more keeps the rest in a temporary file;
/// what is so wide and flat that its decoder's rows need more is refused.
Pixels decode_image(const std::uint8_t* bytes, size_t size, const ImagePlace& place);
Pixels decode_image(ImageInput& input, const ImagePlace& place);
Pixels decode_png(ImageInput& input, const ImagePlace& place);
/// `memory`: bytes that libjpeg may take; 0: memory_beside() the pixels.
Pixels decode_jpeg(ImageInput& input, const ImagePlace& place, size_t memory = 0);
/// The file is read in pieces; one that is packed by gzip is unpacked to memory first.
Pixels read_image(const std::string& path, const std::string& where);

/// The most that a decoder may take beside the pixels: as many bytes as they have, and 1 MiB, of
/// which 64 KiB are for what it does not count.
constexpr size_t memory_beside(size_t pixel_bytes) { return pixel_bytes + (size_t{15} << 16); }
/// Refuses sizes that are 0 or above the caps.
void check_image_size(i64 height, i64 width, const ImagePlace& place);
[[noreturn]] void fail_image(const ImagePlace& place, const std::string& what,
                             const std::string& hint = "download or copy the file again");
/// Where the rows that a decoder needs at once take more than memory_beside().
[[noreturn]] void fail_wide_image(const ImagePlace& place);

/// `channels` of 1 to 4, without alpha or with full alpha where there is none.
Pixels with_channels(Pixels image, i64 channels);
/// Writes [height, width, channels] of `out`'s type to `out`.
void resize(const Pixels& from, i64 height, i64 width, std::uint8_t* out);
void resize(const float* from, i64 from_height, i64 from_width, i64 channels, i64 height, i64 width,
            float* out);

}  // namespace goneuron::data
