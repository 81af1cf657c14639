// JSON text: quoting when writing, and a reader that pulls values one by one and says at which byte
// it failed. Used by the model file: no tree is built, so a hostile text costs no more memory than
// what is kept of it.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>

#include "goneuron/shape.h"

namespace goneuron {

/// The length of the UTF-8 sequence at `at`, or 0 when it is not valid UTF-8.
size_t utf8_length(std::string_view text, size_t at);
/// "a \"b\"": quoted and escaped. Throws GraphError when `text` is not UTF-8.
std::string json_quote(std::string_view text);
/// The shortest digits that read back as the same number; "inf", "-inf" and "nan" are quoted.
std::string json_real(double value);
/// `text` for a message: quoted, without control characters, at most 60 bytes.
std::string shown(std::string_view text);

/// Reads objects whose members are known and arrays of values, in the order of the text:
///   r.begin('{'); auto kind = r.member("kind").string(); r.end();
///   r.begin('['); while (r.more()) list.push_back(r.integer());
/// Every failure is a FormatError: `where`, the byte, what was found and what was expected.
class JsonReader {
 public:
  static constexpr int max_depth = 16;
  using ByteMap = std::function<size_t(size_t)>;  // position in the text -> byte of the file

  JsonReader(std::string_view text, std::string where, ByteMap byte_of = nullptr)
      : text_(text), where_(std::move(where)), byte_of_(std::move(byte_of)) {}

  /// Enters an object ('{') or an array ('[').
  void begin(char open);
  /// True when another member or item follows; false once the closing bracket has been read.
  bool more();
  /// Leaves the object or array: nothing may follow in it.
  void end();
  /// The next member's name, with its colon.
  std::string key();
  /// The next member, which must be called `name`.
  JsonReader& member(std::string_view name);
  /// True, and past its name, when the next member is called `name`.
  bool has_member(std::string_view name);

  std::string string();
  i64 integer();
  /// A number between `low` and `high`, for counts and indices; `what` names it in the message.
  i64 integer(i64 low, i64 high, const char* what);
  double real();
  bool boolean();
  /// The first byte of the next value: '{', '[', '"', a digit, ...
  char peek();
  /// Nothing but blanks may follow.
  void finish();

  /// Of the next byte that is not blank, within the text.
  size_t position();
  [[noreturn]] void fail(const std::string& what) { fail_at(position(), what); }
  [[noreturn]] void fail_at(size_t position, const std::string& what) const;
  const std::string& where() const { return where_; }

 private:
  void blanks();
  size_t string_end() const;
  void escape(std::string& out, size_t& at) const;
  unsigned hex4(size_t at) const;
  std::string found() const;

  std::string_view text_;
  std::string where_;
  ByteMap byte_of_;
  size_t at_ = 0;
  int depth_ = 0;
  std::array<char, max_depth> close_{};
  std::array<bool, max_depth> first_{};
};

}  // namespace goneuron
