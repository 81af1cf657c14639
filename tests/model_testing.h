// What the tests of models share: reproducible data, a small network, and the same by hand in
// double precision.
#pragma once

#include <goneuron/goneuron.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

namespace goneuron {

inline bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() &&
         std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.bytes())) == 0;
}

inline void expect_same_weights(const Model& a, const Model& b) {
  const auto left = a.weights(), right = b.weights();
  ASSERT_EQ(left.size(), right.size());
  for (size_t i = 0; i < left.size(); ++i)
    EXPECT_TRUE(same_bits(left[i].value, right[i].value)) << left[i].name;
}

/// Reproducible numbers in [-1, 1).
inline Tensor values(const Shape& shape, std::uint32_t state = 1) {
  Tensor out(shape);
  for (i64 i = 0; i < out.size(); ++i) {
    state = state * 1664525U + 1013904223U;
    out.data()[i] = static_cast<float>(state >> 8) * 0x1p-23F - 1;
  }
  return out;
}

inline Tensor labels(i64 count, std::int32_t classes) {
  Tensor out(Shape{count}, DType::i32);
  for (i64 i = 0; i < count; ++i)
    out.data<std::int32_t>()[i] = static_cast<std::int32_t>(i * 7 / 3 % classes);
  return out;
}

inline std::vector<Layer> mlp_layers() { return {Dense(8, Tanh), Dense(3, Softmax)}; }

inline Model mlp(std::uint64_t seed = 1) {
  auto model = Sequential(mlp_layers());
  model.compile(SGD(0.1), CrossEntropy, {Accuracy}, {.seed = seed});
  return model;
}

/// x W + b in double.
inline std::vector<double> dense(const std::vector<double>& x, const Tensor& weight,
                                 const Tensor& bias) {
  std::vector<double> out;
  for (i64 j = 0; j < weight.shape()[1]; ++j) {
    double sum = bias.at({j});
    for (size_t i = 0; i < x.size(); ++i) sum += x[i] * weight.at({static_cast<i64>(i), j});
    out.push_back(sum);
  }
  return out;
}

/// What mlp() predicts for one sample, by hand.
inline std::vector<double> by_hand(const Model& model, const Tensor& sample) {
  const auto w = model.weights();
  std::vector<double> h;
  for (i64 i = 0; i < sample.size(); ++i) h.push_back(sample.at({i}));
  h = dense(h, w[0].value, w[1].value);
  for (double& v : h) v = std::tanh(v);
  h = dense(h, w[2].value, w[3].value);
  double total = 0;
  for (double& v : h) total += v = std::exp(v);
  for (double& v : h) v /= total;
  return h;
}

// f32 with sums of at most 8 terms below 2: a few roundings of 2^-24 each.
inline constexpr double few_roundings = 1e-6;

}  // namespace goneuron
