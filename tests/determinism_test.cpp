// The same seed gives the same weights, bit for bit, for any number of workers, with prefetch on or
// off; and what callbacks do between two steps does not disturb them.
#include <goneuron/goneuron.h>
#include <gtest/gtest.h>

#include <cstring>

namespace goneuron {
namespace {

constexpr i64 samples = 50 * 32 - 7;  // 50 steps, the last one partial

Dataset images() {
  Tensor x(Shape{samples, 28, 28, 1}, DType::u8), y(Shape{samples}, DType::u8);
  std::uint32_t state = 1;
  for (i64 i = 0; i < x.size(); ++i) {
    state = state * 1664525U + 1013904223U;
    x.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(state >> 24);
  }
  for (i64 i = 0; i < samples; ++i)
    y.data<std::uint8_t>()[i] = x.data<std::uint8_t>()[i * 784] % 10;
  return Dataset(x, y);
}

Model image_model() {
  auto model =
      Sequential({Conv2D(32, 3, {.padding = Same, .activation = ReLU}), MaxPool2D(2), Flatten(),
                  Dropout(0.2), Dense(64), BatchNorm(), ReLU, Dense(10, Softmax)});
  model.compile(Adam(0.001), CrossEntropy, {Accuracy}, {.seed = 7});
  return model;
}

/// Two convolutions whose values meet again, and every kind of pooling.
Model convnet() {
  auto input = Input({28, 28, 1});
  auto a = input | Conv2D(24, 3, {.stride = 2, .padding = Same, .activation = ReLU}) | MaxPool2D(2);
  auto b = a | Conv2D(24, 3, {.padding = Same}) | BatchNorm() | ReLU | Dropout(0.3);
  auto c = Concat()({a + b, a}) | AvgPool2D(2) | Conv2D(40, 3, {.padding = 1, .activation = GELU});
  auto model = Model(input, c | MaxPool2D(3, 1) | GlobalAvgPool2D() | Dense(10, Softmax));
  model.compile(Adam(0.001), CrossEntropy, {Accuracy}, {.seed = 7});
  return model;
}

/// Every row of an image a token of a mixture, then every image one.
Model mixtures() {
  auto model = Sequential({Reshape({28, 28}), ExpertFeedForward(70, 8, 2, {.activation = SwiGLU}),
                           ReLU, Flatten(), MoE(40, 5, 2, {.activation = GELU, .z_loss = 0.001}),
                           Dense(10, Softmax)});
  model.compile(Adam(0.001), CrossEntropy, {Accuracy}, {.seed = 7});
  return model;
}

/// Image rows as tokens of a small transformer, its products in bf16.
Model transformer() {
  auto model = Sequential(
      {Reshape({28, 28}), Dense(48), TransformerBlock(4, 96, {.causal = true, .dropout = 0.1}),
       TransformerBlock(4, 96, {.norm = RMSNorm, .feed_forward = SwiGLU, .rope = true}),
       CLSPooling(), Dense(10, Softmax)});
  model.compile(AdamW(0.001), CrossEntropy, {Accuracy}, {.seed = 7, .precision = BF16});
  return model;
}

/// Image rows as sequences: stacked, bidirectional, with a state handed on.
Model recurrent_model() {
  auto input = Input({28, 28, 1});
  auto x = input | Reshape({28, 28});
  auto [y, h, c] = with_state(LSTM(24, {.return_sequences = true, .layers = 2, .dropout = 0.2}), x);
  auto z = GRU(20, {.return_sequences = true, .bidirectional = Bidirectional::concat})(y);
  auto last = LSTM(24, {.reverse = true})(
      {z, slice(h, 1, 0, 1) | Reshape({24}), slice(c, 1, 1, 2) | Reshape({24})});
  auto model = Model(input, last | Dense(10, Softmax));
  model.compile(Adam(0.001), CrossEntropy, {Accuracy}, {.seed = 7});
  return model;
}

std::vector<Tensor> trained(int workers, bool prefetch, const std::vector<Callback>& callbacks = {},
                            Model (*make)() = image_model, i64 batch = 32) {
  set_threads(workers);
  auto model = make();
  model.fit(images().prefetch(prefetch),
            {.epochs = 1, .batch_size = batch, .seed = 3, .callbacks = callbacks});
  set_threads(0);
  std::vector<Tensor> values;
  for (const Weight& weight : model.weights()) values.push_back(weight.value.clone());
  return values;
}

void expect_same_bits(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i)
    EXPECT_EQ(std::memcmp(a[i].raw(), b[i].raw(), static_cast<size_t>(a[i].bytes())), 0)
        << "weight " << i;
}

TEST(Determinism, AnyNumberOfWorkersAndPrefetch) {
  const auto expected = trained(1, false);
  for (const int workers : {1, 2, 3, 4, 7})
    for (const bool prefetch : {false, true}) {
      SCOPED_TRACE(std::to_string(workers) + " workers" + (prefetch ? ", prefetch" : ""));
      expect_same_bits(trained(workers, prefetch), expected);
    }
}

/// 65 is odd, and its last batch is 33: tiles of unequal size.
TEST(Determinism, ConvolutionalNetOnAnyNumberOfWorkers) {
  const auto expected = trained(1, false, {}, convnet, 65);
  for (const int workers : {2, 3, 4, 5, 6, 7}) {
    SCOPED_TRACE(std::to_string(workers) + " workers");
    expect_same_bits(trained(workers, false, {}, convnet, 65), expected);
  }
}

TEST(Determinism, MixturesOfExpertsOnAnyNumberOfWorkers) {
  const auto expected = trained(1, false, {}, mixtures, 65);
  for (const int workers : {2, 3, 5}) {
    SCOPED_TRACE(std::to_string(workers) + " workers");
    expect_same_bits(trained(workers, false, {}, mixtures, 65), expected);
  }
}

TEST(Determinism, TransformerOfBf16OnAnyNumberOfWorkers) {
  const auto expected = trained(1, false, {}, transformer, 65);
  for (const int workers : {2, 3, 5}) {
    SCOPED_TRACE(std::to_string(workers) + " workers");
    expect_same_bits(trained(workers, false, {}, transformer, 65), expected);
  }
}

TEST(Determinism, RecurrentNetOnAnyNumberOfWorkers) {
  const auto expected = trained(1, false, {}, recurrent_model, 65);
  for (const int workers : {2, 3, 5}) {
    SCOPED_TRACE(std::to_string(workers) + " workers");
    expect_same_bits(trained(workers, false, {}, recurrent_model, 65), expected);
  }
}

TEST(Determinism, AnotherSeedGivesOtherWeights) {
  const auto one = trained(1, false);
  auto model = image_model();
  model.fit(images(), {.epochs = 1, .batch_size = 32, .seed = 4});
  EXPECT_FALSE(model.weights()[0].value == one[0]);
}

/// Uses the model, and other numbers of workers, from inside fit().
class Busy : public CallbackBase {
 public:
  void on_step_end(TrainingState& state) override {
    if (state.step % 10 != 0) return;
    set_threads(2 + static_cast<int>(state.step / 10) % 2);
    state.model->predict(Tensor(Shape{3, 28, 28, 1}));
    ++calls;
  }
  void on_epoch_end(TrainingState& state) override {
    logs = state.model->evaluate(images().take(64), 32);
  }
  int calls = 0;
  Logs logs;
};

TEST(Determinism, CallbacksMayUseTheModel) {
  const auto busy = std::make_shared<Busy>();
  expect_same_bits(trained(2, false, {busy}), trained(1, false));
  EXPECT_EQ(busy->calls, 5);
  EXPECT_TRUE(busy->logs.has("accuracy"));
}

TEST(Determinism, SavedAndLoadedContinuesWithTheSameBits) {
  const std::string path = testing::TempDir() + "goneuron_continue.safetensors";
  auto whole = image_model(), half = image_model();
  whole.fit(images(), {.epochs = 2, .batch_size = 32, .seed = 3});
  half.fit(images(), {.epochs = 1, .batch_size = 32, .seed = 3});
  half.save(path);
  auto again = Model::load(path);
  EXPECT_TRUE(again.predict(images().take(8).arrays().x) ==
              half.predict(images().take(8).arrays().x));
  again.fit(images(), {.epochs = 1, .batch_size = 32, .seed = 3});
  const auto a = whole.weights(), b = again.weights();
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    bool found = false;
    for (const Weight& other : b)
      if (other.name == a[i].name) found = other.value == a[i].value;
    EXPECT_TRUE(found) << a[i].name;
  }
  std::remove(path.c_str());
}

TEST(Determinism, ABadLabelChangesNoWeight) {
  auto model = image_model();
  model.build({28, 28, 1});
  std::vector<Tensor> before;
  for (const Weight& weight : model.weights()) before.push_back(weight.value.clone());
  Tensor y(Shape{32}, DType::i32);
  y.set({5}, 10);
  EXPECT_THROW(model.train_on_batch(Tensor(Shape{32, 28, 28, 1}), y), DataError);
  Tensor x(Shape{32, 28, 28, 1});
  x.set({4, 3, 2, 0}, std::numeric_limits<double>::quiet_NaN());
  EXPECT_THROW(model.train_on_batch(x, Tensor(Shape{32}, DType::i32)), DataError);
  size_t i = 0;
  for (const Weight& weight : model.weights())
    EXPECT_TRUE(weight.value == before[i++]) << weight.name;
}

}  // namespace
}  // namespace goneuron
