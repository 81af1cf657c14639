// XOR, the smallest problem that needs a hidden layer.
#include <goneuron/goneuron.h>

#include <cstdio>
using namespace goneuron;

int main() {
  const Tensor x{{0, 0}, {0, 1}, {1, 0}, {1, 1}}, y{{0}, {1}, {1}, {0}};
  // begin
  auto model = Sequential({Dense(4, Tanh), Dense(1, Sigmoid)});
  model.compile(Adam(0.05), MSE);
  model.fit(x, y, {.epochs = 1000, .batch_size = 4});
  // end
  std::printf("%s\n", model.predict(x).str().c_str());
}
