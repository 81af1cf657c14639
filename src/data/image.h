// Decoding of PNG and JPEG from memory, and resizing. Used by data::image, data::images and the
// fuzzer.
#pragma once

#include <string>
#include <vector>

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

/// Throws FormatError; sizes are checked before memory is taken. PNG needs little more than the
/// image; progressive JPEG also two bytes for each of its values.
Pixels decode_image(const std::uint8_t* bytes, size_t size, const ImagePlace& place);
Pixels decode_png(const std::uint8_t* bytes, size_t size, const ImagePlace& place);
Pixels decode_jpeg(const std::uint8_t* bytes, size_t size, const ImagePlace& place);
/// The whole file.
Pixels read_image(const std::string& path, const std::string& where);

/// Refuses sizes that are 0 or above the caps.
void check_image_size(i64 height, i64 width, const ImagePlace& place);
[[noreturn]] void fail_image(const ImagePlace& place, const std::string& what,
                             const std::string& hint = "download or copy the file again");

/// `channels` of 1 to 4, without alpha or with full alpha where there is none.
Pixels with_channels(Pixels image, i64 channels);
/// Writes [height, width, channels] of `out`'s type to `out`.
void resize(const Pixels& from, i64 height, i64 width, std::uint8_t* out);
void resize(const float* from, i64 from_height, i64 from_width, i64 channels, i64 height, i64 width,
            float* out);

}  // namespace goneuron::data
