#include "io/json_text.h"

#include <fmt/core.h>

#include <cmath>

#include "core/message.h"

namespace goneuron {

size_t utf8_length(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() - at < length) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(at + i) & 0xC0) != 0x80) return 0;
  const unsigned char second = byte(at + 1);
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool surrogate = lead == 0xED && second >= 0xA0;
  const bool beyond = lead == 0xF4 && second >= 0x90;
  return overlong || surrogate || beyond ? 0 : length;
}

std::string json_quote(std::string_view text) {
  std::string out = "\"";
  for (size_t at = 0; at < text.size();) {
    const size_t length = utf8_length(text, at);
    if (length == 0)
      throw_graph({.what = fmt::format("the name {} is not UTF-8 (its byte {})", shown(text), at),
                   .hint = "give layers, metrics and inputs names in UTF-8"});
    const char c = text[at];
    if (c == '"' || c == '\\')
      (out += '\\') += c;
    else if (static_cast<unsigned char>(c) < 0x20)
      out += fmt::format("\\u{:04x}", c);
    else
      out += text.substr(at, length);
    at += length;
  }
  return out + "\"";
}

std::string json_real(double value) {
  if (std::isnan(value)) return "\"nan\"";
  if (std::isinf(value)) return value > 0 ? "\"inf\"" : "\"-inf\"";
  return fmt::format("{}", value);
}

std::string shown(std::string_view text) {
  std::string out = "\"";
  for (size_t at = 0; at < text.size();) {
    if (out.size() > 60) return out + "...\"";
    const size_t length = utf8_length(text, at);
    if (length == 0 || static_cast<unsigned char>(text[at]) < 0x20)
      out += '?';
    else
      out += text.substr(at, length);
    at += length == 0 ? 1 : length;
  }
  return out + "\"";
}

void JsonReader::fail_at(size_t position, const std::string& what) const {
  const size_t byte = byte_of_ ? byte_of_(position) : position;
  throw_format(
      {.where = where_,
       .what = fmt::format("byte {}: {}", byte, what),
       .hint =
           "the file is damaged, or was not written by GoNeuron or a safetensors library: copy or "
           "save it again"});
}

}  // namespace goneuron
