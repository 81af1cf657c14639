// A convolutional network with its accuracy on a test set after each epoch.
// usage: example_cnn [DIRECTORY]   the four files of MNIST; without it Debian's Fashion-MNIST
#include <goneuron/goneuron.h>

#include <cstdio>
using namespace goneuron;

int main(int argc, char** argv) try {
  auto [train, test] = argc > 1 ? data::mnist(argv[1]) : data::fashion_mnist();
  // begin
  auto model = Sequential({
      Conv2D(32, 3, {.padding = 1, .activation = ReLU}),
      MaxPool2D(2),
      Flatten(),
      Dense(10, Softmax),
  });
  model.compile(Adam(0.001), CrossEntropy, {Accuracy});
  model.fit(train, {.epochs = 10, .batch_size = 32, .validation = test, .callbacks = {Logger(1)}});
  // end
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
