// How the values of a page's program are written in its comments: see doc_page.sh, which makes a
// call of expect() of each such comment.
#pragma once

#include <goneuron/goneuron.h>

#include <cstdio>
#include <cstdlib>

namespace doc {

inline std::string written(bool value) { return value ? "true" : "false"; }
inline std::string written(goneuron::i64 value) { return std::to_string(value); }
inline std::string written(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}
inline std::string written(const std::string& value) { return '"' + value + '"'; }
inline std::string written(const goneuron::Shape& shape) { return shape.str(); }
inline std::string written(const goneuron::Symbol& symbol) { return symbol.shape().str(); }
inline std::string written(const goneuron::Tensor& tensor) {
  return tensor.shape().str() + ", " + goneuron::dtype_name(tensor.dtype());
}
inline std::string written(const std::vector<std::string>& values) {
  std::string all;
  for (const std::string& value : values) all += (all.empty() ? "" : ", ") + written(value);
  return all;
}

template <class T>
void expect(const T& value, const char* wanted, const char* name, const char* place) {
  const std::string got = written(value);
  if (got == wanted) return;
  std::fprintf(stderr, "%s: %s is %s, not %s\n", place, name, got.c_str(), wanted);
  std::exit(1);
}

}  // namespace doc
