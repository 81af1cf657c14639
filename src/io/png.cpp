#include "io/png.h"

#include <zlib.h>

#include "core/message.h"

namespace goneuron {
namespace {

void put_u32(std::string& out, std::uint32_t value) {  // big-endian, as everything in PNG
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xFF);
}

void put_chunk(std::string& out, const std::string& type, const std::string& body) {
  put_u32(out, static_cast<std::uint32_t>(body.size()));
  const std::string checked = type + body;
  out += checked;
  put_u32(out, static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(checked.data()),
                                                static_cast<uInt>(checked.size()))));
}

std::string deflated(const std::string& raw) {
  uLongf size = compressBound(static_cast<uLong>(raw.size()));
  std::string out(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(out.data()), &size,
                reinterpret_cast<const Bytef*>(raw.data()), static_cast<uLong>(raw.size()),
                Z_BEST_COMPRESSION) != Z_OK)
    throw_memory({.where = "PNG",
                  .what = "zlib could not compress " + std::to_string(raw.size()) + " bytes",
                  .hint = "free memory, or show fewer images"});
  out.resize(size);
  return out;
}

}  // namespace

std::string encode_png(const std::uint8_t* pixels, i64 height, i64 width, i64 channels) {
  if (height < 1 || width < 1 || (channels != 1 && channels != 3))
    throw_shape(
        {.where = "PNG",
         .what = "expected [height, width, 1 or 3], found " + Shape{height, width, channels}.str(),
         .hint = "reshape the image, or slice one channel"});
  std::string raw;
  for (i64 y = 0; y < height; ++y) {
    raw += '\0';  // each row starts with its filter: none
    raw.append(reinterpret_cast<const char*>(pixels) + y * width * channels,
               static_cast<size_t>(width * channels));
  }
  std::string header;
  put_u32(header, static_cast<std::uint32_t>(width));
  put_u32(header, static_cast<std::uint32_t>(height));
  header += '\x08';                         // bits a sample
  header += channels == 1 ? '\0' : '\x02';  // grey, RGB
  header.append(3, '\0');                   // deflate, adaptive filters, not interlaced
  std::string out = "\x89PNG\r\n\x1a\n";
  put_chunk(out, "IHDR", header);
  put_chunk(out, "IDAT", deflated(raw));
  put_chunk(out, "IEND", "");
  return out;
}

std::string base64(const std::string& bytes) {
  static constexpr char digits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t word = 0;
    for (size_t k = 0; k < 3; ++k)
      word = word << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (size_t k = 0; k < 4; ++k)
      out += i + k <= bytes.size() ? digits[word >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

}  // namespace goneuron
