#include "data/image.h"

#include <algorithm>
#include <cstring>

#include "core/message.h"
#include "data/byte_source.h"
#include "goneuron/images.h"

namespace goneuron::data {

namespace {

std::string size_text(i64 height, i64 width) {
  return std::to_string(height) + " x " + std::to_string(width);
}

/// Red, green and blue as brightness, by ITU-R BT.601 in 16 bits.
std::uint8_t gray_of(const std::uint8_t* rgb) {
  return static_cast<std::uint8_t>((19595U * rgb[0] + 38470U * rgb[1] + 7471U * rgb[2] + 0x8000U) >>
                                   16);
}

}  // namespace

void fail_image(const ImagePlace& place, const std::string& what, const std::string& hint) {
  throw_format({place.where, what, {{"file", place.file}}, hint});
}

void check_image_size(i64 height, i64 width, const ImagePlace& place) {
  if (height >= 1 && width >= 1 && height <= image_max_pixels / width) return;
  fail_image(place,
             "the image has " + size_text(height, width) + " pixels; expected 1 to " +
                 std::to_string(image_max_pixels),
             "make it smaller first: convert in.png -resize 1024x1024 out.png");
}

void fail_wide_image(const ImagePlace& place) {
  fail_image(
      place,
      "the image is wide and has few rows: decoding them takes more than twice the memory of "
      "its pixels",
      "turn it by 90 degrees, or cut it into pieces of at most 10,000 columns");
}

Pixels decode_image(const std::uint8_t* bytes, size_t size, const ImagePlace& place) {
  ImageInput input(bytes, size);
  return decode_image(input, place);
}

Pixels decode_image(ImageInput& input, const ImagePlace& place) {
  constexpr std::uint8_t png[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  constexpr std::uint8_t jpeg[] = {0xFF, 0xD8, 0xFF};
  if (input.begins_with(png, sizeof png)) return decode_png(input, place);
  if (input.begins_with(jpeg, sizeof jpeg)) return decode_jpeg(input, place);
  const bool empty = input.size() == 0;
  fail_image(
      place,
      empty ? "the file is empty; expected an image"
            : "the file begins like neither a PNG nor a JPEG",
      empty ? "download or copy it again" : "convert it: convert in.webp out.png; or leave it out");
}

Pixels read_image(const std::string& path, const std::string& where) {
  const auto source = file_source(path, where, "check the path; PNG and JPEG can be read");
  const ImagePlace place{where, path};
  const auto check = [&place](i64 bytes) {
    if (bytes > image_max_file)
      fail_image(place, "the file is larger than 256 MiB; expected less",
                 "make the image smaller first");
  };
  check(source->remaining());
  if (source->remaining() >= 0) {
    ImageInput input(*source);
    return decode_image(input, place);
  }
  std::vector<std::uint8_t> bytes;
  constexpr size_t piece = 1 << 16;
  for (size_t found = piece; found == piece;) {
    const size_t before = bytes.size();
    bytes.resize(before + piece);
    found = source->read(bytes.data() + before, piece);
    bytes.resize(before + found);
    check(static_cast<i64>(bytes.size()));
  }
  return decode_image(bytes.data(), bytes.size(), place);
}

Pixels with_channels(Pixels image, i64 channels) {
  if (channels == image.channels) return image;
  const i64 count = image.height * image.width, from = image.channels;
  Pixels out{image.height, image.width, channels, {}};
  out.values.resize(static_cast<size_t>(count * channels));
  const std::uint8_t* in = image.values.data();
  std::uint8_t* to = out.values.data();
  const bool colour = from >= 3, alpha = from % 2 == 0;
  for (i64 i = 0; i < count; ++i, in += from, to += channels) {
    if (channels >= 3) {
      for (int c = 0; c < 3; ++c) to[c] = in[colour ? c : 0];
    } else {
      to[0] = colour ? gray_of(in) : in[0];
    }
    if (channels % 2 == 0) to[channels - 1] = alpha ? in[from - 1] : 255;
  }
  return out;
}

Tensor image(const std::string& path, const ImageReadOptions& options, Site site) {
  const std::string where = user_place("data::image", site);
  if (options.channels < 0 || options.channels > 4)
    throw_data({where,
                std::to_string(options.channels) + " channels; expected 1 to 4, or 0",
                {},
                "1 is gray, 3 colours; 0 takes those of the file"});
  Pixels read = read_image(path, where);
  if (options.channels > 0) read = with_channels(std::move(read), options.channels);
  Tensor out(Shape{read.height, read.width, read.channels}, DType::u8);
  std::copy(read.values.begin(), read.values.end(), out.data<std::uint8_t>());
  return out;
}

}  // namespace goneuron::data
