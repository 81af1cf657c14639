// A network of dense layers with dropout that stops when the validation loss has not fallen for
// three epochs and leaves its best state in best.safetensors. usage: example_mlp [DIRECTORY]   the
// four files of MNIST; without it Debian's Fashion-MNIST
#include <goneuron/goneuron.h>

#include <cmath>
#include <cstdio>
using namespace goneuron;

int main(int argc, char** argv) try {
  const auto files = argc > 1 ? data::mnist(argv[1]) : data::fashion_mnist();
  const Dataset train = files.train.batch(128), valid = files.test.batch(256);
  // begin
  auto model = Sequential({Flatten(), Dense(512, ReLU), Dropout(0.2), Dense(256, ReLU),
                           Dropout(0.2), Dense(10, Softmax)});
  model.compile(Adam(0.001), CrossEntropy, {Accuracy});
  double best = INFINITY;
  i64 best_epoch = 0;
  auto keep_best = Lambda([&](TrainingState& now) {
    const double loss = (*now.logs)["val_loss"];
    if (loss < best) model.save("best.safetensors"), best = loss, best_epoch = now.epoch;
    now.stop = now.epoch - best_epoch == 3;
  });
  model.fit(train, {.epochs = 50, .validation = valid, .callbacks = {Logger(1), keep_best}});
  // end
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
