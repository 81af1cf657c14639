// What must hold before the parser may see a text: its size, its lines, the brackets and the marks
// in it. The scan knows quotes and comments, and where it may be wrong about them it counts more,
// not less.
#include <string>

#include "config/yaml.h"
#include "io/json_text.h"

namespace goneuron::config {
namespace {

struct Scan {
  std::string_view text;
  Value at;  // where the scan is

  [[noreturn]] void fail(const std::string& what, const std::string& hint) const {
    fail_at(at, what, {}, hint);
  }

  /// The bytes of the character at `i`; refuses what YAML does not allow.
  size_t character(size_t i) const {
    const size_t length = utf8_length(text, i);
    if (length == 0) fail("bytes that are no UTF-8; expected text", "save the file as UTF-8");
    const auto c = static_cast<unsigned char>(text[i]);
    if ((c < 0x20 && c != '\n' && c != '\r') || c == 0x7F) {
      if (c == '\t') fail("a tab; expected spaces", "indent with two spaces a level");
      fail("a control character; expected text", "take it out; a config is plain text");
    }
    return length;
  }

  void run() {
    int depth = 0, marks = 0;
    size_t line_start = 0;
    char quote = 0;
    bool comment = false;
    for (size_t i = text.substr(0, 3) == "\xEF\xBB\xBF" ? 3 : 0; i < text.size();) {
      const char c = text[i];
      ++at.column;
      const size_t length = character(i);
      if (c == '\n') {
        ++at.line, at.column = 0, ++marks;
        quote = 0, comment = false;
        line_start = i + 1;
      }
      const char before = i > line_start ? text[i - 1] : ' ';
      if (c == '#' && before == ' ' && quote == 0) comment = true;
      if (!comment) {
        if (quote != 0 ? c == quote : c == '"' || c == '\'') quote = quote != 0 ? 0 : c;
        if (c == '[' || c == '{') ++depth;
        if ((c == ']' || c == '}') && quote == 0 && depth > 0) --depth;
        if (std::string_view("[]{},:?-&*!|>").find(c) != std::string_view::npos) ++marks;
      }
      if (depth > max_depth)
        fail("brackets nested deeper than " + std::to_string(max_depth) + "; expected fewer",
             "no part of a config is that deep");
      if (marks > max_marks)
        fail("more than " + std::to_string(max_marks) + " lines and marks; expected fewer",
             "a config is a page or two; data belongs into files of its own");
      i += length;
    }
  }
};

}  // namespace

void check_size_and_depth(std::string_view text, const std::string& name) {
  Scan scan{text, {}};
  scan.at.file = kept(name);
  scan.at.line = 1;
  scan.at.column = 1;
  if (text.size() > max_bytes)
    scan.fail("a file of " + std::to_string(text.size()) + " bytes; expected at most " +
                  std::to_string(max_bytes),
              "a config is a page or two; data belongs into files of its own");
  scan.at.column = 0;
  scan.run();
}

}  // namespace goneuron::config
