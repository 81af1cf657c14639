// A calculator of four functions of two numbers, chosen by a third input: a mixture whose experts
// share them out among themselves, against one dense layer that does as many multiplications for
// each row. Prints which expert was used for which function. The data is made here.
// usage: example_mixture [--quick]
#include <goneuron/goneuron.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <random>
using namespace goneuron;

constexpr i64 functions = 4, experts = 4;
const char* const names[] = {"sin(4 a)", "a * b", "|a - b|", "cos(4 b)"};

double apply(i64 function, double a, double b) {
  const double values[] = {std::sin(4 * a), a * b, std::fabs(a - b), std::cos(4 * b)};
  return values[function];
}

/// Rows of a, b and which of the functions, one of four columns; row i asks for function i % 4.
Sample questions(i64 count, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(-1, 1);
  Sample made{Tensor(Shape{count, 2 + functions}), Tensor(Shape{count, 1})};
  for (i64 i = 0; i < count; ++i) {
    const double a = uniform(random), b = uniform(random);
    made.x.set({i, 0}, a);
    made.x.set({i, 1}, b);
    made.x.set({i, 2 + i % functions}, 1);
    made.y.set({i, 0}, apply(i % functions, a, b));
  }
  return made;
}

/// The share of the rows of each function that went to each expert.
void print_usage(const Model& model, const Tensor& x) {
  const Tensor weights = Model(model.input(), expert_weights(model.get_layer("moe"))).predict(x);
  std::printf("%-12s", "used for");
  for (i64 e = 0; e < experts; ++e) std::printf("  expert %d", static_cast<int>(e));
  for (i64 f = 0; f < functions; ++f) {
    std::printf("\n%-12s", names[f]);
    for (i64 e = 0; e < experts; ++e) {
      i64 used = 0, rows = 0;
      for (i64 i = f; i < x.shape()[0]; i += functions, ++rows) used += weights.at({i, e}) > 0;
      std::printf("  %6.1f %%", 100.0 * static_cast<double>(used) / static_cast<double>(rows));
    }
  }
  std::printf("\n");
}

int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::strcmp(argv[1], "--quick") == 0;
  const Sample train = questions(8192, 1), test = questions(4096, 2);
  const i64 epochs = quick ? 20 : 60;
  // begin
  auto model = Sequential({MoE(8, experts, 1, {.activation = Tanh, .normalize = false}), Dense(1)});
  model.compile(Adam(0.01), MSE);
  model.fit(train.x, train.y, epochs, 64, Logger(10));
  // end
  auto dense = Sequential({Dense(8, Tanh), Dense(1)});
  dense.compile(Adam(0.01), MSE);
  dense.fit(train.x, train.y, epochs, 64);

  print_usage(model, test.x);
  const auto error = [&](const Model& m) {
    double sum = 0;
    const Tensor p = m.predict(test.x);
    for (i64 i = 0; i < p.size(); ++i) sum += std::pow(p.at({i, 0}) - test.y.at({i, 0}), 2);
    return sum / static_cast<double>(p.size());
  };
  std::printf("mean squared error: mixture %.5f, dense layer %.5f\n", error(model), error(dense));
}
