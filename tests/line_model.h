// A model of one weight matrix and data that it can fit; for tests of the loop around the steps.
#pragma once

#include <goneuron/goneuron.h>

namespace goneuron {

/// y = 2 a - b: 10 samples.
inline Dataset line_data() {
  Tensor x(Shape{10, 2}), y(Shape{10, 1});
  for (i64 i = 0; i < 10; ++i) {
    const double a = 0.1 * static_cast<double>(i), b = 0.5 - 0.07 * static_cast<double>(i * i % 7);
    x.set({i, 0}, a);
    x.set({i, 1}, b);
    y.set({i, 0}, 2 * a - b);
  }
  return {x, y};
}

inline Model line_model(double rate = 0.1) {
  auto model = Sequential({Dense(1)});
  model.compile(SGD(rate), MSE, {MeanAbsoluteError}, {.seed = 1});
  return model;
}

}  // namespace goneuron
