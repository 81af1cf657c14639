// A network of Inception blocks (Szegedy et al. 2015) on Fashion-MNIST: four branches, joined along
// the channels. usage: example_inception [--quick]   quick: an epoch on a tenth of the data
#include <goneuron/goneuron.h>

#include <cstdio>
#include <string_view>
using namespace goneuron;

// begin
Symbol conv(const Symbol& x, i64 filters, i64 kernel) {
  return x | Conv2D(filters, kernel, {.padding = Same, .bias = false}) | BatchNorm() | ReLU;
}

/// 1 x 1, 3 x 3 and 5 x 5 (as two of 3 x 3) convolutions and a pool, each with `filters` channels.
Symbol inception(const Symbol& x, i64 filters) {
  const Symbol wide = conv(conv(x, filters / 2, 1), filters, 3);
  const Symbol wider = conv(conv(conv(x, filters / 2, 1), filters, 3), filters, 3);
  const Symbol pooled = conv(x | MaxPool2D(3, {.stride = 1, .padding = 1}), filters, 1);
  return Concat()({conv(x, filters, 1), wide, wider, pooled});
}
// end

int main(int argc, char** argv) try {
  const bool quick = argc > 1 && std::string_view(argv[1]) == "--quick";
  auto [train, test] = data::fashion_mnist();
  if (quick) train = train.take(6000), test = test.take(2000);
  const i64 epochs = quick ? 1 : 8;
  // begin
  const i64 steps = epochs * ((train.size() + 127) / 128);
  const Symbol x = Input({28, 28, 1});
  Symbol y = conv(x, 32, 3) | MaxPool2D(2);
  y = inception(y, 16) | MaxPool2D(2);
  y = inception(inception(y, 32), 32) | GlobalAvgPool2D() | Dropout(0.2);
  Model model(x, y | Dense(10, Softmax));
  model.compile(Adam(CosineDecay(0.002, steps)), CrossEntropy, {Accuracy});
  model.fit(train,
            {.epochs = epochs, .batch_size = 128, .validation = test, .callbacks = {Logger(1)}});
  // end
  std::printf("test accuracy %.4f\n", model.evaluate(test)["accuracy"]);
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
