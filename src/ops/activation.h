// The activations as functions of a double: used by their ops and by the fused linear and
// convolution ops.
#pragma once

#include <cmath>
#include <string_view>

#include "ops/common.h"

namespace goneuron::activation {

// Klambauer et al. 2017.
inline constexpr double selu_alpha = 1.6732632423543772848170429916717;
inline constexpr double selu_scale = 1.0507009873554804934193349852946;
inline constexpr double sqrt_half = 0.70710678118654752440;
inline constexpr double inverse_sqrt_2pi = 0.39894228040143267794;

// `x <= 0 ? 0 : x` lets NaN through.
inline double relu(double x) { return x <= 0 ? 0 : x; }
inline double leaky_relu(double x, double alpha) { return x <= 0 ? alpha * x : x; }
inline double sigmoid(double x) {
  if (x >= 0) return 1 / (1 + std::exp(-x));
  const double e = std::exp(x);
  return e / (1 + e);
}
inline double normal_cdf(double x) { return 0.5 * std::erfc(-x * sqrt_half); }
inline double gelu(double x) { return x * normal_cdf(x); }
inline double silu(double x) { return x * sigmoid(x); }
inline double elu(double x, double alpha) { return x <= 0 ? alpha * std::expm1(x) : x; }
inline double selu(double x) { return selu_scale * elu(x, selu_alpha); }

enum class Kind { linear, relu, leaky_relu, sigmoid, tanh, gelu, silu, elu, selu, unknown };

inline Kind kind_of(std::string_view name) {
  constexpr std::string_view names[] = {"linear", "relu", "leaky_relu", "sigmoid", "tanh",
                                        "gelu",   "silu", "elu",        "selu"};
  int at = 0;
  while (at < 9 && names[at] != name) ++at;
  return static_cast<Kind>(at);
}

inline double apply(Kind kind, double x, double alpha) {
  switch (kind) {
    case Kind::relu:
      return relu(x);
    case Kind::leaky_relu:
      return leaky_relu(x, alpha);
    case Kind::sigmoid:
      return sigmoid(x);
    case Kind::tanh:
      return std::tanh(x);
    case Kind::gelu:
      return gelu(x);
    case Kind::silu:
      return silu(x);
    case Kind::elu:
      return elu(x, alpha);
    case Kind::selu:
      return selu(x);
    default:
      return x;
  }
}

/// The activation named by a fused op; refuses those that need a whole row.
inline Kind check_kind(const InferContext& c) {
  const Kind kind = kind_of(c.attrs.text("activation"));
  if (kind == Kind::unknown)
    c.fail("no elementwise activation \"" + c.attrs.text("activation") + "\"",
           "use linear, relu, leaky_relu, sigmoid, tanh, gelu, silu, elu or selu");
  if (kind == Kind::leaky_relu || kind == Kind::elu) check_real(c, "alpha", 0, huge);
  return kind;
}

}  // namespace goneuron::activation
