// What the recurrent ops share: which of their optional inputs there are, and the order in which a
// sequence is read. Used by lstm_sequence.cpp and gru_sequence.cpp.
#pragma once

#include <array>
#include <vector>

#include "ops/common.h"

namespace goneuron::recurrent {

/// A step counts where its mask is above this; masks are 0 or 1.
inline constexpr double mask_threshold = 0.5;

/// The inputs after the first `fixed` ones, each present when its flag is 1, in the flags' order;
/// -1 where it is absent.
template <size_t kCount>
std::array<int, kCount> optional_inputs(const Attrs& attrs, int fixed,
                                        const std::array<const char*, kCount>& flags) {
  std::array<int, kCount> at{};
  for (size_t i = 0; i < kCount; ++i) at[i] = attrs.integer(flags[i], 0) != 0 ? fixed++ : -1;
  return at;
}

/// Checks the flags, and that there are as many inputs as they say.
template <size_t kCount>
std::array<int, kCount> check_optional_inputs(const InferContext& c, int fixed,
                                              const std::array<const char*, kCount>& flags) {
  int count = fixed;
  for (const char* flag : flags) count += check_flag(c, flag) ? 1 : 0;
  check_flag(c, "reverse");
  check_flag(c, "zero_masked");
  if (count != static_cast<int>(c.inputs.size()))
    c.fail(std::to_string(c.inputs.size()) + " inputs; the flags ask for " + std::to_string(count),
           "give one input for each flag that is 1");
  for (int i = 0; i < count; ++i) check_floating(c, {0, i});
  return optional_inputs(c.attrs, fixed, flags);
}

/// Input `i`, a recurrent weight [units, gates units]; the units.
inline i64 check_weight(const InferContext& c, int i, i64 gates) {
  check_rank(c, i, 2, "[units, " + std::to_string(gates) + " units]");
  const i64 units = c.shape(i)[0];
  if (units == Any || !agree(c.shape(i)[1], checked_mul(gates, units)))
    c.fail("the recurrent weight is " + c.shape(i).str() + "; its columns must be " +
               std::to_string(gates) + " times its rows",
           "make it [units, " + std::to_string(gates) + " units]");
  return units;
}

/// Inputs 0 and 1, x [batch, time, in] and its weight [in, columns]; the shape of x.
inline Shape check_input(const InferContext& c, i64 columns) {
  check_rank(c, 0, 3, "[batch, time, features]");
  check_shape(c, 1, Shape{c.shape(0)[-1], columns}, "the input weight");
  if (c.shape(1)[0] == Any)
    c.fail("the number of features is not known yet", "give it to Input(), or build() the model");
  return {c.shape(0)[0], c.shape(0)[1], c.shape(1)[0]};
}

/// [batch, time, columns]
inline Shape check_sequence(const InferContext& c, int i, i64 columns, const std::string& what) {
  check_rank(c, i, 3, "[batch, time, " + std::to_string(columns) + "]");
  check_shape(c, i, Shape{c.shape(0)[0], c.shape(0)[1], columns}, what);
  return c.shape(i);
}

/// The sizes of a sequence and the order in which it is read.
struct Walk {
  i64 batch, steps, units;
  bool reverse, zero_masked;
  Walk(const KernelArgs& args, i64 units)
      : batch(args.inputs[0].shape[0]),
        steps(args.inputs[0].shape[1]),
        units(units),
        reverse(args.attrs.integer("reverse", 0) != 0),
        zero_masked(args.attrs.integer("zero_masked", 0) != 0) {}
  /// The row of [batch time, ..] that is read at place `at` of the order.
  i64 step(i64 b, i64 at) const { return b * steps + (reverse ? steps - 1 - at : at); }
  template <class T>
  bool kept(const KernelArgs& args, int mask, i64 step) const {
    return mask < 0 || double{input<T>(args, static_cast<size_t>(mask))[step]} > mask_threshold;
  }
};

using Row = std::vector<double>;

template <class T>
Row row_of(const T* x, i64 row, i64 units) {
  return Row(x + row * units, x + (row + 1) * units);
}
/// Of an input that may be absent: zeros then.
template <class T>
Row row_of(const KernelArgs& args, int i, i64 row, i64 units) {
  return i < 0 ? Row(static_cast<size_t>(units), 0)
               : row_of(input<T>(args, static_cast<size_t>(i)), row, units);
}
template <class T>
void put(const Row& row, T* to, bool values = true) {
  for (size_t u = 0; u < row.size(); ++u) to[u] = static_cast<T>(values ? row[u] : 0);
}
template <class T>
void add(const T* x, Row& row) {
  for (size_t u = 0; u < row.size(); ++u) row[u] += double{x[u]};
}
/// The sum of row[p] w[p stride].
template <class T>
double product(const Row& row, const T* w, i64 stride) {
  double sum = 0;
  for (const double x : row) {
    sum += x * double{*w};
    w += stride;
  }
  return sum;
}

inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace goneuron::recurrent
