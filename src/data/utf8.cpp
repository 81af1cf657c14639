#include "data/utf8.h"

#include <algorithm>

namespace goneuron::data {

std::int32_t next_code(const std::string& text, size_t& at) {
  const auto byte = [&](size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
  };
  const unsigned first = byte(0);
  if (first < 0x80) {
    ++at;
    return static_cast<std::int32_t>(first);
  }
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4) return -1;
  unsigned code = first & (0x7FU >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return -1;
    code = code << 6 | (byte(i) & 0x3F);
  }
  constexpr unsigned least[] = {0x80, 0x800, 0x10000};
  if (code < least[length - 2] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return -1;
  at += length;
  return static_cast<std::int32_t>(code);
}

std::string utf8_of(std::int32_t code) {
  const auto c = static_cast<unsigned>(code);
  const auto more = [&](int shift) { return static_cast<char>(0x80 | (c >> shift & 0x3F)); };
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xC0 | c >> 6), more(0)};
  if (c < 0x10000) return {static_cast<char>(0xE0 | c >> 12), more(6), more(0)};
  return {static_cast<char>(0xF0 | c >> 18), more(12), more(6), more(0)};
}

std::string text_place(const std::string& text, size_t at) {
  const size_t newline = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
  const size_t begin = newline == std::string::npos ? 0 : newline + 1;
  const auto line =
      1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(begin), '\n');
  i64 column = 1;
  for (size_t i = begin; i < at; ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) ++column;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

}  // namespace goneuron::data
