// Checks, samples and attributes that layer_norm and rms_norm share: norms of rows of the last
// axis, with the statistics of each row as [..], the shape of x without its last axis.
#pragma once

#include "ops/common.h"

namespace goneuron {

/// x is input 0, [.., c]; the inputs `channels` are [c], the inputs `rows` are [..].
struct RowNormTypes {
  TensorType x, channel, row;
};
inline RowNormTypes check_row_norm(const InferContext& c, std::initializer_list<int> channels,
                                   std::initializer_list<int> rows) {
  check_last_axis(c, 0);
  const DType dtype = check_floating(c, {0});
  const RowNormTypes types{
      {c.shape(0), dtype}, {Shape{c.shape(0)[-1]}, dtype}, {without_last(c.shape(0)), dtype}};
  const auto check = [&](int i, const Shape& expected) {
    check_floating(c, {0, i});
    check_shape(c, i, expected, "input " + std::to_string(i + 1));
  };
  for (const int i : channels) check(i, types.channel.shape);
  for (const int i : rows) check(i, types.row.shape);
  return types;
}
inline double check_epsilon(const InferContext& c) { return check_real(c, "epsilon", 0, huge); }

inline double row_norm_flops(const std::vector<TensorType>& inputs, const std::vector<TensorType>&,
                             const Attrs&) {
  return 8 * count(inputs[0]);
}

/// Samples whose inputs are as `kinds` says: x: [.., c], c: [c], r: [..]. Several tokens and steps,
/// widths that fill vectors and that do not.
inline std::vector<OpSample> row_norm_samples(const std::string& kinds, const Attrs& attrs,
                                              double low = -2) {
  std::vector<OpSample> samples;
  const auto add = [&](const Shape& x, bool bench) {
    OpSample sample{{}, attrs, low, 2, {}, 2, bench};
    for (const char kind : kinds)
      sample.inputs.push_back({kind == 'x'   ? x
                               : kind == 'c' ? Shape{x[-1]}
                                             : without_last(x),
                               DType::f32});
    samples.push_back(sample);
  };
  add({3, 5}, false);
  add({2, 4, 6}, false);
  add({7}, false);
  add({33, 9, 70}, true);
  add({5, 67, 256}, true);
  add({64, 1030}, true);
  return samples;
}

inline constexpr Gradient norm_second_order =
    Gradient::none("second derivatives of norms are not supported");

}  // namespace goneuron
