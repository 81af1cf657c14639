// The models whose plans are tested: those of the examples, one with every kind of branch, custom
// layers, and random graphs.
#pragma once

#include <goneuron/goneuron.h>

#include <functional>
#include <random>
#include <string>
#include <vector>

namespace goneuron::testing_plan {

struct PlanCase {
  std::string name;
  std::function<Model()> model;
  Shape sample;
  Shape target;  // of one sample
  int classes;   // 0: the target is f32
  i64 batch;
};

inline Model branches() {
  const Symbol x = Input({12, 12, 3});
  const Symbol a = x | Conv2D(8, 3, {.padding = Same, .bias = false}) | BatchNorm() | ReLU;
  const Symbol b = x | Conv2D(8, 1, {.activation = GELU}) | Dropout(0.25);
  const Symbol joined = Concat()({a + b, a}) | MaxPool2D(2);
  const Symbol c = joined | Conv2D(16, 3, {.padding = 1, .bias = false}) | BatchNorm() | SiLU;
  const Symbol d = Add()({c, joined}) | AvgPool2D(2) | Flatten() | Dense(32, Tanh) | Dropout(0.5);
  return {x, d | Dense(5, Softmax)};
}

/// A gate over the features, a product of its two halves, and weights used twice.
inline Model custom() {
  const Layer shared = Dense(48, Tanh);
  const Layer gate("gate", [](const Symbol& x) {
    const i64 n = x.shape()[-1];
    const Symbol share = exp(x) / (exp(x) + 1);
    return slice(x * share, 1, 0, n / 2) * slice(x, 1, n / 2, n) + mean(x, {1}, true);
  });
  const Symbol x = Input({48});
  const Symbol y = (x | shared | shared | gate) | Dense(48, GELU);
  return {x, maximum(y, 0.1) | shared | gate | Dense(3)};
}

inline Model compiled(Model model, const Loss& loss, const Optimizer& optimizer = SGD(0.1)) {
  model.compile(optimizer, loss, {});
  return model;
}

inline Model mlp_model() {
  return Sequential({Dense(96, ReLU), Dense(64, GELU), Dense(10, Softmax)});
}
inline Model cnn_model() {
  return Sequential({Conv2D(32, 3, {.padding = Same, .activation = ReLU}), MaxPool2D(2), Flatten(),
                     Dense(10, Softmax)});
}

/// Weights of more parts than one, of a few rows, and of the columns of two panels and a rest.
inline Model deep_model() {
  return Sequential({Dense(500, ReLU), Dense(70, Tanh), Dense(300), Dense(10, Softmax)});
}

inline std::vector<PlanCase> real_models() {
  const auto deep = [](const char* name, const Optimizer& optimizer) {
    return PlanCase{name,  [optimizer] { return compiled(deep_model(), CrossEntropy, optimizer); },
                    {310}, {},
                    10,    72};
  };
  return {deep("deep, adam", Adam(0.01)),
          deep("deep, clipped", AdamW(0.01, {.clip_value = 1e-3})),
          deep("deep, clipped by the norm", Adam(0.01, {.global_clip_norm = 0.1})),
          deep("deep, momentum", SGD(0.1, {.momentum = 0.9, .nesterov = true})),
          {"mlp", [] { return compiled(mlp_model(), CrossEntropy); }, {784}, {}, 10, 96},
          {"cnn", [] { return compiled(cnn_model(), CrossEntropy); }, {28, 28, 1}, {}, 10, 24},
          {"wide",
           [] {
             return compiled(Sequential({Dense(2000), Dense(10, Softmax)}), CrossEntropy);
           },
           {300},
           {},
           10,
           32},
          {"odd",
           [] {
             return compiled(Sequential({Dense(2180), Dense(10, Softmax)}), CrossEntropy);
           },
           {300},
           {},
           10,
           32},
          {"xor",
           [] {
             return compiled(Sequential({Dense(4, Tanh), Dense(1, Sigmoid)}), MSE);
           },
           {2},
           {1},
           0,
           4},
          {"branches", [] { return compiled(branches(), CrossEntropy); }, {12, 12, 3}, {}, 5, 10},
          {"custom", [] { return compiled(custom(), MSE); }, {48}, {3}, 0, 64}};
}

/// A small graph of elementwise ops, products, sums, joins and slices over [batch, n] values, made
/// from public symbols; `seed` decides it. Values stay near 1.
class RandomGraph {
 public:
  explicit RandomGraph(unsigned seed) : random_(seed) {}

  Model model() {
    const Symbol x = Input({width()});
    values_ = {x, x | Dense(width(), Tanh)};
    const int count = 6 + below(18);
    for (int i = 0; i < count; ++i) values_.push_back(step());
    std::vector<Symbol> ends;
    for (int i = 0; i < 3; ++i) ends.push_back(any());
    ends.push_back(values_.back());
    return compiled(Model(x, Concat()(ends) | Dense(3)), MSE);
  }

 private:
  int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  i64 width() { return 8 * (1 + below(8)); }
  /// Recent values more often than old ones.
  Symbol any() {
    const int n = static_cast<int>(values_.size());
    return values_[static_cast<size_t>(std::max(below(n), below(n)))];
  }
  Symbol partner(const Symbol& a) {
    for (int i = 0; i < 8; ++i)
      if (const Symbol b = any(); b.shape()[-1] == a.shape()[-1]) return b;
    return any() | Dense(a.shape()[-1]);
  }

  Symbol step() {
    const Symbol a = any();
    const i64 n = a.shape()[-1];
    switch (below(14)) {
      case 0:
        return a | ReLU;
      case 1:
        return a | GELU;
      case 2:
        return a | Tanh;
      case 3:
        return exp(-square(a));
      case 4:
        return a + partner(a);
      case 5:
        return (a * partner(a)) | Tanh;
      case 6:
        return a - mean(a, {1}, true);
      case 7:
        return maximum(a, partner(a)) | Sigmoid;
      case 8:
        return a | Dense(width(), ReLU);
      case 9:
        return a | Dense(width(), {.activation = Tanh, .bias = false});
      case 10:
        return n > 64 ? slice(a, 1, 0, 8) : Concat()({a, any()});
      case 11:
        return n >= 16 ? slice(a, 1, 8, n) : a * 0.5;
      case 12:
        return (sum(a, {1}, true) | Tanh) * partner(a);
      default:
        return a | Softmax;
    }
  }

  std::mt19937 random_;
  std::vector<Symbol> values_;
};

inline PlanCase random_case(unsigned seed) {
  return {
      "seed " + std::to_string(seed),      [seed] { return RandomGraph(seed).model(); }, {}, {3}, 0,
      16 + 16 * static_cast<i64>(seed % 4)};
}

}  // namespace goneuron::testing_plan
