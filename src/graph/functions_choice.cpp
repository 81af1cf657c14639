// Functions on symbols, element by element or over an axis: comparisons, choices, extremes, softmax
// and powers.
#include <cmath>
#include <numeric>

#include "core/message.h"
#include "goneuron/functions.h"
#include "graph/functions.h"

namespace goneuron {

namespace {
/// `op` works on the last axis: another one is brought there and back.
Symbol along(const char* function, const char* op, const Symbol& x, int axis, Site site) {
  const int rank = x.shape().rank(), at = sample_axis(function, x, axis, site);
  if (at == rank - 1) return make(op, {x}, {}, site);
  std::vector<int> order(static_cast<size_t>(rank));
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[static_cast<size_t>(at)], order.back());
  return transpose(make(op, {transpose(x, order, site)}, {}, site), order, site);
}

Symbol extreme(const char* function, const char* op, const Symbol& x, const std::vector<int>& axes,
               bool keep, Site site) {
  const auto normal = normal_axes(function, x, axes, site);
  if (normal.empty()) return x;
  return make(op, {x}, {{"axes", normal}, {"keep", i64{keep}}}, site);
}
}  // namespace

Symbol softmax(const Symbol& x, int axis, Site site) {
  return along("softmax", "softmax", x, axis, site);
}
Symbol log_softmax(const Symbol& x, int axis, Site site) {
  return along("log_softmax", "log_softmax", x, axis, site);
}

Symbol max(const Symbol& x, const std::vector<int>& axes, bool keep, Site site) {
  return extreme("max", "reduce_max", x, axes, keep, site);
}
Symbol min(const Symbol& x, const std::vector<int>& axes, bool keep, Site site) {
  return extreme("min", "reduce_min", x, axes, keep, site);
}

Symbol where(const Symbol& condition, const Operand& a, const Operand& b) {
  return make("where", {condition, a.symbol, b.symbol}, {}, b.site);
}

Symbol greater(const Symbol& a, const Operand& b) {
  return make("greater", {a, b.symbol}, {}, b.site);
}
Symbol greater_equal(const Symbol& a, const Operand& b) {
  return make("greater_equal", {a, b.symbol}, {}, b.site);
}
Symbol less(const Symbol& a, const Operand& b) {
  return make("greater", {b.symbol, a}, {}, b.site);
}
Symbol less_equal(const Symbol& a, const Operand& b) {
  return make("greater_equal", {b.symbol, a}, {}, b.site);
}
Symbol equal(const Symbol& a, const Operand& b) { return make("equal", {a, b.symbol}, {}, b.site); }
Symbol not_equal(const Symbol& a, const Operand& b) { return 1 - Operand(equal(a, b), b.site); }

Symbol cast(const Symbol& x, DType dtype, Site site) {
  if (x.dtype() == dtype) return x;
  return make("cast", {x}, {{"dtype", static_cast<i64>(dtype)}}, site);
}

Symbol pow(const Symbol& x, double exponent, Site site) {
  if (!std::isfinite(exponent))
    throw_graph({.where = function_place("pow", site),
                 .what = "an exponent of " + number_text(exponent) + "; expected a finite number",
                 .hint = "check where it comes from: a division by 0 gives inf or nan"});
  if (exponent == 1) return x;
  if (exponent == 2) return square(x, site);
  if (exponent == 0.5) return sqrt(x, site);
  if (exponent == -1) return 1 / Operand(x, site);
  return make("pow", {x}, {{"exponent", exponent}}, site);
}

Symbol tanh(const Symbol& x, Site site) { return make("tanh", {x}, {}, site); }
Symbol sigmoid(const Symbol& x, Site site) { return make("sigmoid", {x}, {}, site); }
Symbol relu(const Symbol& x, Site site) { return make("relu", {x}, {}, site); }

Symbol clip(const Symbol& x, double low, double high, Site site) {
  if (!(low <= high))
    throw_graph({.where = function_place("clip", site),
                 .what = "bounds of " + number_text(low) + " and " + number_text(high) +
                         "; expected the lower one first",
                 .hint = "clip(x, -1, 1)"});
  return minimum(maximum(x, Operand(low, site)), Operand(high, site));
}

Symbol stop_gradient(const Symbol& x, Site site) { return make("stop_gradient", {x}, {}, site); }

}  // namespace goneuron
