// Arithmetic and functions on symbols: what custom layers, losses and metrics are written with.
#include "graph/functions.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/message.h"

namespace goneuron {

namespace {
/// The number that a symbol stands for, if it is a constant of rank 0.
std::optional<double> number_of(const Symbol& symbol) {
  if (!symbol || symbol.expr()->kind != Expr::Kind::constant || symbol.shape().rank() != 0)
    return {};
  return symbol.expr()->constant.item();
}

Symbol scale_shift(const Symbol& x, double scale, double shift, Site site) {
  return make("scale_shift", {x}, {{"scale", scale}, {"shift", shift}}, site);
}

Symbol reduce(const char* op, const Symbol& x, const std::vector<int>& axes, bool keep, Site site) {
  const auto normal = normal_axes(op, x, axes, site);
  if (normal.empty()) return x;
  return make(op, {x}, {{"axes", normal}, {"keep", i64{keep}}}, site);
}
}  // namespace

std::string function_place(const char* function, Site site) {
  const std::string text = site_text(site);
  return text.empty() ? function : std::string(function) + " (" + text + ")";
}

int normal_axis(const char* function, const Symbol& x, int axis, Site site) {
  const int rank = x.shape().rank();
  if (axis < -rank || axis >= rank)
    throw_shape({.where = function_place(function, site),
                 .what = "there is no axis " + std::to_string(axis) + " in " + x.shape().str(),
                 .hint = "axes count the batch as 0; -1 is the last one"});
  return axis < 0 ? axis + rank : axis;
}

int sample_axis(const char* function, const Symbol& x, int axis, Site site) {
  const int at = normal_axis(function, x, axis, site);
  if (at == 0 && x.shape()[0] == Any)
    throw_shape({.where = function_place(function, site),
                 .what = "axis 0 of " + x.shape().str() + " is the batch; expected another axis",
                 .hint = "every row is one sample; -1 is the last axis"});
  return at;
}

std::vector<i64> normal_axes(const char* function, const Symbol& x, const std::vector<int>& axes,
                             Site site) {
  std::vector<i64> all;
  if (axes.empty())
    for (int axis = 1; axis < x.shape().rank(); ++axis) all.push_back(axis);
  for (const int axis : axes) all.push_back(normal_axis(function, x, axis, site));
  std::sort(all.begin(), all.end());
  const auto twice = std::adjacent_find(all.begin(), all.end());
  if (twice != all.end())
    throw_shape({.where = function_place(function, site),
                 .what = "axis " + std::to_string(*twice) + " is given twice",
                 .hint = "name each axis once; -1 is the last one"});
  return all;
}

Operand::Operand(const Symbol& symbol, Site site) : symbol(symbol), site(site) {}
Operand::Operand(double number, Site site) : symbol(scalar(number)), site(site) {}

Symbol operator+(const Symbol& a, const Operand& b) {
  if (const auto number = number_of(b.symbol)) return scale_shift(a, 1, *number, b.site);
  return make("add", {a, b.symbol}, {}, b.site);
}
Symbol operator-(const Symbol& a, const Operand& b) {
  if (const auto number = number_of(b.symbol)) return scale_shift(a, 1, -*number, b.site);
  return make("sub", {a, b.symbol}, {}, b.site);
}
Symbol operator*(const Symbol& a, const Operand& b) {
  if (const auto number = number_of(b.symbol)) return scale_shift(a, *number, 0, b.site);
  return make("mul", {a, b.symbol}, {}, b.site);
}
Symbol operator/(const Symbol& a, const Operand& b) {
  // A reciprocal that overflows (or a zero) is left to the division itself.
  const auto number = number_of(b.symbol);
  if (number && std::isfinite(static_cast<float>(1 / *number)))
    return scale_shift(a, 1 / *number, 0, b.site);
  return make("div", {a, b.symbol}, {}, b.site);
}

Symbol operator+(double a, const Operand& b) { return scale_shift(b.symbol, 1, a, b.site); }
Symbol operator-(double a, const Operand& b) { return scale_shift(b.symbol, -1, a, b.site); }
Symbol operator*(double a, const Operand& b) { return scale_shift(b.symbol, a, 0, b.site); }
Symbol operator/(double a, const Operand& b) {
  return make("div", {scalar(a), b.symbol}, {}, b.site);
}
Symbol operator-(const Symbol& a) { return make("neg", {a}); }

Symbol exp(const Symbol& x, Site site) { return make("exp", {x}, {}, site); }
Symbol log(const Symbol& x, Site site) { return make("log", {x}, {}, site); }
Symbol sqrt(const Symbol& x, Site site) { return make("sqrt", {x}, {}, site); }
Symbol square(const Symbol& x, Site site) { return make("square", {x}, {}, site); }
Symbol abs(const Symbol& x, Site site) { return make("abs", {x}, {}, site); }
Symbol maximum(const Symbol& a, const Operand& b) {
  return make("maximum", {a, b.symbol}, {}, b.site);
}
Symbol minimum(const Symbol& a, const Operand& b) {
  return make("minimum", {a, b.symbol}, {}, b.site);
}

Symbol sum(const Symbol& x, const std::vector<int>& axes, bool keep, Site site) {
  return reduce("sum", x, axes, keep, site);
}
Symbol mean(const Symbol& x, const std::vector<int>& axes, bool keep, Site site) {
  return reduce("mean", x, axes, keep, site);
}
Symbol matmul(const Symbol& a, const Symbol& b, Site site) {
  return make(b.shape().rank() > 2 ? "batch_matmul" : "matmul", {a, b}, {}, site);
}

Symbol slice(const Symbol& x, int axis, i64 begin, i64 end, Site site) {
  const int at = normal_axis("slice", x, axis, site);
  const i64 size = x.shape()[at];
  if (size == Any)
    throw_shape({.where = function_place("slice", site),
                 .what = "the length of axis " + std::to_string(at) + " of " + x.shape().str() +
                         " is not known",
                 .hint = at == 0 ? "every row is one sample: slice another axis"
                                 : "give the length to Input(), or build() the model"});
  if (begin < 0 || begin >= end || end > size)
    throw_shape({.where = function_place("slice", site),
                 .what = "elements [" + std::to_string(begin) + ", " + std::to_string(end) +
                         ") of axis " + std::to_string(at) + " of " + x.shape().str(),
                 .hint = "0 <= begin < end <= " + std::to_string(size)});
  return make("slice", {x}, {{"axis", i64{at}}, {"begin", begin}, {"end", end}}, site);
}

Symbol constant(const Tensor& value, Site site) {
  if (value.empty())
    throw_graph({.where = function_place("constant", site),
                 .what = "the tensor has no elements",
                 .hint = "pass a tensor with values"});
  return constant_symbol(value, site);
}

}  // namespace goneuron
