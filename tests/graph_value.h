// The value of a symbol, by evaluate(), for a few lines of test; and the text of
// an exception. Used by tests of layers, losses and functions: no plan, no fusion, no engine.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "goneuron/error.h"
#include "graph/evaluate.h"
#include "graph/layer_impl.h"
#include "graph/op_def.h"

namespace goneuron {

using Feeds = std::vector<std::pair<Symbol, Tensor>>;

class GraphValue {
 public:
  explicit GraphValue(Feeds feeds, const StepScalars& scalars = {})
      : scalars(scalars), feeds_(std::move(feeds)) {}

  Tensor operator()(const Symbol& symbol) {
    return evaluate({symbol}, feeds_, DType::f32, scalars)[0];
  }

  StepScalars scalars;

 private:
  Feeds feeds_;
};

inline Tensor floats(const std::vector<float>& values, const Shape& shape) {
  return Tensor(values, shape);
}

inline void expect_near(const Tensor& value, const std::vector<float>& wanted, double tolerance) {
  ASSERT_EQ(value.size(), static_cast<i64>(wanted.size()));
  for (size_t i = 0; i < wanted.size(); ++i) {
    const float found = value.data<float>()[i];
    if (std::isinf(wanted[i])) {
      EXPECT_EQ(found, wanted[i]) << "element " << i;
    } else {
      EXPECT_NEAR(found, wanted[i], tolerance) << "element " << i;
    }
  }
}

/// The full text of the exception E that `function` throws.
template <class E, class F>
std::string text_of(F&& function) {
  try {
    function();
  } catch (const E& error) {
    return error.what();
  } catch (const std::exception& error) {
    return std::string("another exception: ") + error.what();
  }
  return "no exception";
}

}  // namespace goneuron
