// Classifies sequences: a bidirectional LSTM reads the rows of an image one after the other, and
// attention pooling decides which of them count. Needs Debian's dataset-fashion-mnist, or the four
// files of (Fashion-)MNIST in DIRECTORY.
// usage: example_classify_sequences [--quick] [DIRECTORY]
#include <goneuron/goneuron.h>

#include <cstdio>
#include <cstring>
using namespace goneuron;

int main(int argc, char** argv) try {
  const bool quick = argc > 1 && std::strcmp(argv[1], "--quick") == 0;
  const char* directory = argc > (quick ? 2 : 1) ? argv[quick ? 2 : 1] : "";
  auto [train, test] = data::fashion_mnist(directory);
  if (quick) train = train.take(8000), test = test.take(2000);
  // begin
  auto model = Sequential({
      Reshape({28, 28}),  // 28 steps of 28 numbers
      LSTM(64, {.return_sequences = true, .bidirectional = Bidirectional::concat}),
      GlobalAttention(),
      Dropout(0.2),
      Dense(10, Softmax),
  });
  model.compile(Adam(0.002), CrossEntropy, {Accuracy});
  model.fit(
      train,
      {.epochs = quick ? 3 : 12, .batch_size = 64, .validation = test, .callbacks = {Logger(1)}});
  // end
  std::printf("accuracy %.4f\n", model.evaluate(test)["accuracy"]);
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
