// JsonReader: the pull reader declared in json_text.h.
#include <fmt/core.h>

#include <charconv>
#include <limits>

#include "io/json_text.h"

namespace goneuron {

void JsonReader::blanks() {
  while (at_ < text_.size() &&
         (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t'))
    ++at_;
}

size_t JsonReader::position() {
  blanks();
  return at_;
}

char JsonReader::peek() { return position() < text_.size() ? text_[at_] : '\0'; }

std::string JsonReader::found() const {
  if (at_ >= text_.size()) return "the text ends";
  const auto c = static_cast<unsigned char>(text_[at_]);
  return c >= 0x20 && c < 0x7F ? fmt::format("found '{}'", static_cast<char>(c))
                               : fmt::format("found byte 0x{:02x}", c);
}

void JsonReader::begin(char open) {
  if (peek() != open) fail(fmt::format("{}, expected '{}'", found(), open));
  if (depth_ == max_depth) fail(fmt::format("nested more than {} deep", max_depth));
  close_[static_cast<size_t>(depth_)] = open == '{' ? '}' : ']';
  first_[static_cast<size_t>(depth_)] = true;
  ++depth_;
  ++at_;
}

bool JsonReader::more() {
  const auto top = static_cast<size_t>(depth_ - 1);
  const char next = peek();
  if (next == close_[top]) {
    ++at_;
    --depth_;
    return false;
  }
  if (!first_[top]) {
    if (next != ',') fail(fmt::format("{}, expected ',' or '{}'", found(), close_[top]));
    ++at_;
  }
  first_[top] = false;
  return true;
}

void JsonReader::end() {
  const char close = close_[static_cast<size_t>(depth_ - 1)];
  if (more()) fail(fmt::format("{}, expected '{}'", found(), close));
}

std::string JsonReader::key() {
  std::string name = string();
  if (peek() != ':') fail(fmt::format("{}, expected ':'", found()));
  ++at_;
  return name;
}

JsonReader& JsonReader::member(std::string_view name) {
  if (has_member(name)) return *this;
  std::string instead = "the object ends";
  if (more()) instead = peek() == '"' ? "found the member " + shown(string()) : found();
  fail(fmt::format("{}, expected the member \"{}\"", instead, name));
}

bool JsonReader::has_member(std::string_view name) {
  const auto top = static_cast<size_t>(depth_ - 1);
  if (peek() == close_[top]) return false;
  const size_t at = at_;
  const bool first = first_[top];
  if (more() && peek() == '"') {
    const size_t end = string_end();
    if (text_.substr(at_ + 1, end - at_ - 1) == name) {
      key();
      return true;
    }
  }
  at_ = at;
  first_[top] = first;
  return false;
}

// The position of the closing quote of the string that starts at at_.
size_t JsonReader::string_end() const {
  for (size_t i = at_ + 1; i < text_.size(); ++i) {
    if (text_[i] == '"') return i;
    if (text_[i] == '\\') ++i;
  }
  fail_at(at_, "a string without an end");
}

std::string JsonReader::string() {
  if (peek() != '"') fail(fmt::format("{}, expected a string", found()));
  const size_t end = string_end();
  std::string out;
  out.reserve(end - at_);
  size_t at = at_ + 1;
  while (at < end) {
    if (text_[at] == '\\') {
      escape(out, at);
      continue;
    }
    const size_t length = utf8_length(text_.substr(0, end), at);
    if (length == 0) fail_at(at, "a string that is not UTF-8");
    if (static_cast<unsigned char>(text_[at]) < 0x20)
      fail_at(at, "a control character in a string");
    out.append(text_, at, length);
    at += length;
  }
  at_ = end + 1;
  return out;
}

unsigned JsonReader::hex4(size_t at) const {
  unsigned value = 0;
  const size_t have = at < text_.size() ? text_.size() - at : 0;
  if (have >= 4) {
    const char* begin = text_.data() + at;
    if (std::from_chars(begin, begin + 4, value, 16).ptr == begin + 4) return value;
  }
  fail_at(at, "\\u without four hexadecimal digits");
}

// Appends the character of the escape at text_[at], and moves past it.
void JsonReader::escape(std::string& out, size_t& at) const {
  static constexpr std::string_view names = "\"\\/bfnrt", values = "\"\\/\b\f\n\r\t";
  const char c = text_[at + 1];
  if (const size_t i = names.find(c); i != std::string_view::npos) {
    out += values[i];
    at += 2;
    return;
  }
  if (c != 'u') fail_at(at, "an unknown escape in a string");
  unsigned code = hex4(at + 2);
  size_t next = at + 6;
  if (code >= 0xD800 && code < 0xDC00 && text_.substr(next, 2) == "\\u") {
    const unsigned low = hex4(next + 2);
    if (low >= 0xDC00 && low < 0xE000) {
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
      next += 6;
    }
  }
  if (code >= 0xD800 && code < 0xE000) fail_at(at, "half of a surrogate pair");
  const auto put = [&](unsigned byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6), put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12), put(0x80 | (code >> 6 & 0x3F)), put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18), put(0x80 | (code >> 12 & 0x3F)), put(0x80 | (code >> 6 & 0x3F)),
        put(0x80 | (code & 0x3F));
  }
  at = next;
}

i64 JsonReader::integer() {
  const size_t start = position();
  const char* begin = text_.data() + start;
  const char* end = text_.data() + text_.size();
  i64 value = 0;
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (error == std::errc::result_out_of_range) fail("a number that does not fit in 64 bits");
  if (error != std::errc{}) fail(fmt::format("{}, expected an integer", found()));
  const char* digits = begin + (*begin == '-');
  if (*digits == '0' && stop - digits > 1) fail("a number that starts with 0");
  at_ = start + static_cast<size_t>(stop - begin);
  if (at_ < text_.size() && (text_[at_] == '.' || text_[at_] == 'e' || text_[at_] == 'E'))
    fail_at(start, "a fraction, expected an integer");
  return value;
}

i64 JsonReader::integer(i64 low, i64 high, const char* what) {
  const size_t start = position();
  const i64 value = integer();
  if (value < low || value > high)
    fail_at(start, fmt::format("{} is {}, expected {} to {}", what, value, low, high));
  return value;
}

double JsonReader::real() {
  const size_t start = position();
  if (peek() == '"') {
    const std::string text = string();
    if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
    if (text == "inf") return std::numeric_limits<double>::infinity();
    if (text == "-inf") return -std::numeric_limits<double>::infinity();
    fail_at(start, fmt::format("{} is no number", shown(text)));
  }
  const char* begin = text_.data() + start;
  double value = 0;
  const bool digit = start < text_.size() && (*begin == '-' || (*begin >= '0' && *begin <= '9'));
  if (!digit) fail(fmt::format("{}, expected a number", found()));
  const auto [stop, error] = std::from_chars(begin, text_.data() + text_.size(), value);
  if (error != std::errc{}) fail("a number that does not fit in 64 bits");
  if (value != value || value - value != 0) fail_at(start, "a number that is not finite, unquoted");
  at_ = start + static_cast<size_t>(stop - begin);
  return value;
}

bool JsonReader::boolean() {
  const size_t start = position();
  const bool yes = text_.substr(start, 4) == "true";
  if (!yes && text_.substr(start, 5) != "false")
    fail(fmt::format("{}, expected true or false", found()));
  at_ += yes ? 4 : 5;
  return yes;
}

void JsonReader::finish() {
  if (position() != text_.size()) fail(fmt::format("{} after the end of the value", found()));
}

}  // namespace goneuron
