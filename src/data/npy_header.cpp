// The header of an NPY file: a Python dict with the keys descr, fortran_order and shape.
#include <algorithm>
#include <vector>

#include "core/message.h"
#include "data/npy.h"

namespace goneuron::data {

namespace {

constexpr const char* damaged = "the file is damaged; save it again by numpy.save()";

class Parser {
 public:
  Parser(const std::string& text, i64 first, const ByteSource& source)
      : text_(text), first_(first), source_(source) {}

  NpyType parse() {
    NpyType type;
    bool seen[3] = {};
    expect('{');
    while (!accept('}')) {
      const size_t begin = at_;
      const std::string key = string();
      expect(':');
      const int number = key == "descr" ? 0 : key == "fortran_order" ? 1 : key == "shape" ? 2 : 3;
      if (number == 3 || seen[number])
        fail(begin, "the key " + quoted(key) + " is " + (number == 3 ? "unknown" : "there twice") +
                        "; expected descr, fortran_order and shape once each");
      seen[number] = true;
      if (number == 0) descr(type);
      if (number == 1) type.fortran = boolean();
      if (number == 2) type.shape = shape();
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip();
    if (at_ < text_.size()) fail(at_, "text follows the header's dict; expected its end");
    if (!seen[0] || !seen[1] || !seen[2])
      fail(0, "a key is missing; expected descr, fortran_order and shape");
    return type;
  }

 private:
  [[noreturn]] void fail(size_t at, const std::string& what, const char* hint = damaged) const {
    fail_npy(source_, first_ + static_cast<i64>(at), what, hint);
  }
  static std::string quoted(const std::string& text) {
    std::string shown;
    for (const char c : text.substr(0, 40)) shown += c >= 0x20 && c < 0x7F ? c : '?';
    return "\"" + shown + "\"";
  }
  void skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t'))
      ++at_;
  }
  bool accept(char wanted) {
    skip();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  void expect(char wanted) {
    if (accept(wanted)) return;
    fail(at_,
         at_ < text_.size()
             ? quoted(text_.substr(at_, 1)) + " stands in the header; expected \"" + wanted + "\""
             : std::string("the header's dict ends early; expected \"") + wanted + "\"");
  }
  std::string string() {
    skip();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    const size_t end = quote == '\'' || quote == '"' ? text_.find(quote, at_ + 1) : text_.npos;
    if (end == text_.npos) fail(at_, "there is no text in quotes; expected a key or a type");
    const std::string found = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return found;
  }
  bool boolean() {
    skip();
    for (const bool value : {false, true}) {
      const std::string name = value ? "True" : "False";
      if (text_.compare(at_, name.size(), name) != 0) continue;
      at_ += name.size();
      return value;
    }
    fail(at_, "fortran_order is neither True nor False");
  }

  void descr(NpyType& type) {
    skip();
    const size_t begin = at_;
    if (at_ < text_.size() && text_[at_] == '[')
      fail(begin, "the elements are records of several fields; expected numbers",
           "save each field on its own: numpy.save(\"x.npy\", records[\"x\"])");
    const std::string name = string();
    const char order = name.empty() ? '\0' : name[0];
    const bool has_order = order == '<' || order == '>' || order == '|' || order == '=';
    type.kind = name.size() > size_t{has_order} ? name[has_order] : '\0';
    const std::string size = name.substr(std::min(name.size(), size_t{has_order} + 1));
    type.big_endian = order == '>';
    if (type.kind == 'O')
      fail(begin, "the elements are Python objects; expected numbers",
           "objects are pickled, which runs code when it is read: save them by "
           "x.astype(numpy.float32)");
    const bool sized = size == "1" || size == "2" || size == "4" || size == "8";
    type.size = sized ? size[0] - '0' : 0;
    const bool known = type.kind == 'b'   ? type.size == 1
                       : type.kind == 'f' ? type.size >= 2
                                          : type.kind == 'i' || type.kind == 'u';
    if (!sized || !known)
      fail(begin,
           "the elements are of the type " + quoted(name) +
               "; expected b1, i1 to i8, u1 to u8, f2, f4 or f8",
           "convert them first: x.astype(numpy.float32)");
  }

  Shape shape() {
    expect('(');
    std::vector<i64> dims;
    i64 elements = 1;
    while (!accept(')')) {
      const size_t begin = at_;
      const i64 dim = number();
      if (static_cast<int>(dims.size()) == Shape::max_rank)
        fail(begin, "the array has more than 8 axes; expected 8 at most", "reshape it first");
      if (dim > 0 && elements > npy_max_bytes / dim)
        fail(begin, "the shape declares more than " + std::to_string(npy_max_bytes) + " elements",
             "the header is damaged; a file this large must be split");
      elements *= dim;
      dims.push_back(dim);
      if (accept(',')) continue;
      expect(')');
      break;
    }
    return Shape(dims);
  }
  i64 number() {
    skip();
    const size_t begin = at_;
    i64 value = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      value = value * 10 + (text_[at_] - '0');
      if (value > npy_max_bytes) fail(begin, "an axis is longer than 68719476736");
    }
    if (at_ == begin) fail(at_, "there is no number in the shape; expected the length of an axis");
    if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // of Python 2
    return value;
  }

  const std::string& text_;
  i64 first_;
  const ByteSource& source_;
  size_t at_ = 0;
};

}  // namespace

NpyType parse_npy_header(const std::string& text, i64 first, const ByteSource& source) {
  return Parser(text, first, source).parse();
}

}  // namespace goneuron::data
