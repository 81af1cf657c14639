// Watching and steering a training: metrics, callbacks, and the files that they leave.
// usage: example_watch [epochs] [folder]
#include <goneuron/goneuron.h>

#include <cstdio>
#include <cstdlib>
using namespace goneuron;

int main(int argc, char** argv) {
  const i64 epochs = argc > 1 ? std::atoll(argv[1]) : 20;
  const std::string folder = argc > 2 ? argv[2] : "watch-run";
  auto [train, test] = data::fashion_mnist();
  auto [fit, check] = train.take(12000).split(0.8);

  auto model = Sequential({
      Conv2D(16, 3, {.padding = Same, .activation = ReLU}),
      MaxPool2D(2),
      Flatten(),
      Dense(64, ReLU),
      Dense(10, Softmax),
  });
  model.compile(Adam(0.002), CrossEntropy,
                {Accuracy, F1Score, AUC, SparseTopKCategoricalAccuracy({.k = 3}), ConfusionMatrix});
  const History history = model.fit(
      fit, {.epochs = epochs,
            .validation = check,
            .callbacks = {
                Logger(1),
                EarlyStopping({.patience = 4, .restore_best_weights = true}),
                ReduceLROnPlateau({.factor = 0.5, .patience = 2}),
                ModelCheckpoint(folder + "/best-{epoch:02}-{val_loss:.3f}.safetensors",
                                {.save_best_only = true, .keep_last = 1}),
                CSVLogger(folder + "/log.csv"),
                TensorBoard(folder + "/logs", {.histogram_freq = 1, .write_gradients = true}),
                Profile({.path = folder + "/profile.txt"}),
                HTMLReport(folder + "/report.html",
                           {.title = "Clothes",
                            .class_names = {"T-shirt", "Trouser", "Pullover", "Dress", "Coat",
                                            "Sandal", "Shirt", "Sneaker", "Bag", "Boot"}}),
            }});

  history.save_json(folder + "/history.json");
  const Logs logs = model.evaluate(test.take(2000));
  std::printf("test accuracy %.4f, F1 %.4f, area under the ROC curve %.4f\n", logs["accuracy"],
              logs["f1_score"], logs["auc"]);
}
