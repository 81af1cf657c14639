// A small residual network (He et al. 2016) on Fashion-MNIST: 10 epochs of SGD, whose rate falls
// along a cosine. usage: example_resnet [--quick]   quick: an epoch on a tenth of the data
#include <goneuron/goneuron.h>

#include <cstdio>
#include <string_view>
using namespace goneuron;

// begin
Symbol residual(Symbol x, i64 filters, i64 stride = 1) {
  auto y = x | Conv2D(filters, 3, {.stride = stride, .padding = 1, .bias = false}) | BatchNorm() |
           ReLU | Conv2D(filters, 3, {.padding = 1, .bias = false}) | BatchNorm();
  if (stride != 1 || x.shape()[-1] != filters)
    x = x | Conv2D(filters, 1, {.stride = stride, .bias = false}) | BatchNorm();
  return (x + y) | ReLU;
}
// end

int main(int argc, char** argv) try {
  const bool quick = argc > 1 && std::string_view(argv[1]) == "--quick";
  auto [train, test] = data::fashion_mnist();
  if (quick) train = train.take(6000), test = test.take(2000);
  const i64 epochs = quick ? 1 : 10;
  // begin
  const i64 steps = epochs * ((train.size() + 127) / 128);
  const Symbol x = Input({28, 28, 1});
  Symbol y = x | Conv2D(32, 3, {.padding = 1, .bias = false}) | BatchNorm() | ReLU;
  for (const i64 filters : {32, 64, 128}) y = residual(y, filters, filters == 32 ? 1 : 2);
  Model model(x, y | GlobalAvgPool2D() | Dense(10, Softmax));
  model.compile(
      SGD(CosineDecay(0.1, steps), {.momentum = 0.9, .nesterov = true, .weight_decay = 1e-3}),
      CrossEntropy, {Accuracy});
  model.fit(train,
            {.epochs = epochs, .batch_size = 128, .validation = test, .callbacks = {Logger(1)}});
  // end
  std::printf("test accuracy %.4f\n", model.evaluate(test)["accuracy"]);
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
