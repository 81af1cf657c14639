// Initializer: how a weight gets its first values. Defaults are PyTorch's.
#pragma once

#include "goneuron/tensor.h"

namespace goneuron {

struct Initializer {
  enum class Kind {
    zeros,
    ones,
    constant,
    uniform,
    normal,
    glorot_uniform,
    glorot_normal,
    he_uniform,
    he_normal,
    torch_default
  };
  Kind kind = Kind::torch_default;
  double a = 0;  ///< constant: the value; uniform: low; normal: mean
  double b = 0;  ///< uniform: high; normal: standard deviation
};

/// PyTorch's default for Dense and Conv2D: uniform in +-1/sqrt(fan_in), for weights and biases.
inline constexpr Initializer TorchDefault{};
inline constexpr Initializer Zeros{Initializer::Kind::zeros, 0, 0};
inline constexpr Initializer Ones{Initializer::Kind::ones, 0, 0};
/// Glorot & Bengio 2010.
inline constexpr Initializer GlorotUniform{Initializer::Kind::glorot_uniform, 0, 0};
inline constexpr Initializer GlorotNormal{Initializer::Kind::glorot_normal, 0, 0};
/// He et al. 2015, gain sqrt(2).
inline constexpr Initializer HeUniform{Initializer::Kind::he_uniform, 0, 0};
inline constexpr Initializer HeNormal{Initializer::Kind::he_normal, 0, 0};
constexpr Initializer Constant(double value) { return {Initializer::Kind::constant, value, 0}; }
constexpr Initializer RandomUniform(double low, double high) {
  return {Initializer::Kind::uniform, low, high};
}
constexpr Initializer RandomNormal(double mean, double stddev) {
  return {Initializer::Kind::normal, mean, stddev};
}

}  // namespace goneuron
