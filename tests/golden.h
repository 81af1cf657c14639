// Reads tests/fixtures/golden_*.json, the values that tools/make_goldens.py took from PyTorch, and
// compares with them. Used by the golden_*_test programs.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "goneuron/layer.h"

namespace goneuron::golden {

using Json = nlohmann::json;

/// The cases of one kind, "layers" for golden_layers*.json; read once.
const Json& cases(const std::string& name);

inline const Json& case_named(const std::string& fixture, const std::string& name) {
  for (const Json& one : cases(fixture))
    if (one.at("name") == name) return one;
  throw std::runtime_error("golden_" + fixture + ".json has no case " + name);
}

/// Those of `layer` left out.
inline std::vector<std::string> case_names(const std::string& fixture,
                                           const std::string& layer = "") {
  std::vector<std::string> names;
  for (const Json& one : cases(fixture))
    if (layer.empty() || one.at("layer") != layer) names.push_back(one.at("name"));
  return names;
}

inline Shape shape_of(const Json& tensor) {
  return Shape(tensor.at("shape").get<std::vector<i64>>());
}

/// The hash that tools/make_goldens.py has too.
inline std::uint32_t word(std::uint32_t stream, std::uint32_t index) {
  std::uint32_t h = index * 0x9E3779B9U + stream * 0x85EBCA6BU + 1U;
  h = (h ^ (h >> 16)) * 0x85EBCA6BU;
  h = (h ^ (h >> 13)) * 0xC2B2AE35U;
  return h ^ (h >> 16);
}

/// In [-1, 1), steps of 2^-23.
inline double uniform_at(std::uint32_t stream, i64 i) {
  return (word(stream, static_cast<std::uint32_t>(i)) >> 8) * 0x1p-23 - 1.0;
}

inline double number_of(const Json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

/// {"shape": [2, 3], "values": [...]}; null is NaN. Or {"shape": .., "stream": 7, "scale": 0.5}.
inline Tensor tensor_of(const Json& json, DType dtype = DType::f32) {
  Tensor tensor(shape_of(json), dtype);
  const bool streamed = json.contains("stream");
  const Json& values = streamed ? json.at("shape") : json.at("values");
  if (!streamed && static_cast<i64>(values.size()) != tensor.size())
    throw std::runtime_error("shape and values disagree");
  const auto stream = json.value("stream", std::uint32_t{0});
  const double scale = json.value("scale", 1.0);
  for (i64 i = 0; i < tensor.size(); ++i) {
    const double number =
        streamed ? uniform_at(stream, i) * scale : number_of(values[static_cast<size_t>(i)]);
    if (dtype == DType::i32)
      tensor.data<std::int32_t>()[i] = static_cast<std::int32_t>(number);
    else if (dtype == DType::f64)
      tensor.data<double>()[i] = number;
    else
      tensor.data<float>()[i] = static_cast<float>(number);
  }
  return tensor;
}

inline std::vector<Tensor> tensors_of(const Json& list, DType dtype = DType::f32) {
  std::vector<Tensor> all;
  for (const Json& one : list) all.push_back(tensor_of(one, dtype));
  return all;
}

inline double element(const Tensor& tensor, i64 i) {
  return tensor.dtype() == DType::f64 ? tensor.data<double>()[i]
                                      : static_cast<double>(tensor.data<float>()[i]);
}

/// Every element within `relative` of PyTorch's. Elements below the tensor's root mean square (at
/// most 1) are held to that much of it: what a sum cancels to, or what 1 - tanh^2 leaves, has the
/// rounding of its terms.
/// Of a large tensor, the fixture has the elements 0, `every`, 2 `every`, ..
inline void expect_close(const Tensor& got, const Json& want, double relative,
                         const std::string& what) {
  ASSERT_EQ(got.shape().str(), shape_of(want).str()) << what;
  const i64 every = want.value("every", i64{1});
  std::vector<double> expected;
  for (const Json& value : want.at("values")) expected.push_back(number_of(value));
  ASSERT_EQ(static_cast<i64>(expected.size()), (got.size() + every - 1) / every) << what;
  double squares = 0;
  i64 finite = 0;
  for (const double w : expected)
    if (std::isfinite(w)) squares += w * w, ++finite;
  const double floor =
      std::min(1.0, std::sqrt(squares / static_cast<double>(std::max<i64>(finite, 1))));
  for (size_t i = 0; i < expected.size(); ++i) {
    const i64 at = static_cast<i64>(i) * every;
    const double g = element(got, at), w = expected[i];
    if (std::isnan(w))
      EXPECT_TRUE(std::isnan(g)) << what << "[" << at << "] is " << g << ", PyTorch has NaN";
    else
      EXPECT_LE(std::abs(g - w), relative * std::max(std::abs(w), floor))
          << what << "[" << at << "] is " << g << ", PyTorch has " << w;
  }
}

/// What a fixture allows: it is computed in f64 and written with 12 digits, so an f64 run must
/// agree to 1e-10, and an f32 run to the 1e-5 that is promised.
inline double tolerance(DType precision) { return precision == DType::f64 ? 1e-10 : 1e-5; }

// ---- data and initial weights of the training runs, as in tools/make_goldens.py
// ------------------------------------

/// In [centre - scale, centre + scale).
inline Tensor uniform(std::uint32_t stream, const Shape& shape, double scale, double centre) {
  Tensor tensor(shape);
  for (i64 i = 0; i < tensor.size(); ++i)
    tensor.data()[i] = static_cast<float>(uniform_at(stream, i) * scale + centre);
  return tensor;
}

/// In [0, 1), steps of 1/256.
inline Tensor pixels(std::uint32_t stream, const Shape& shape) {
  Tensor tensor(shape);
  for (i64 i = 0; i < tensor.size(); ++i)
    tensor.data()[i] =
        static_cast<float>(word(stream, static_cast<std::uint32_t>(i)) >> 24) / 256.0F;
  return tensor;
}

inline Tensor classes(std::uint32_t stream, i64 count, std::uint32_t below) {
  Tensor tensor(Shape{count}, DType::i32);
  for (i64 i = 0; i < count; ++i)
    tensor.data<std::int32_t>()[i] =
        static_cast<std::int32_t>((word(stream, static_cast<std::uint32_t>(i)) >> 8) % below);
  return tensor;
}

/// Names of the cases as names of tests.
struct CaseName {
  template <class T>
  std::string operator()(const T& info) const {
    return std::get<0>(info.param) + (std::get<1>(info.param) == DType::f64 ? "_f64" : "_f32");
  }
};

}  // namespace goneuron::golden
