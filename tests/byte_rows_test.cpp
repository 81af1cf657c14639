// Images of bytes that lie in memory: a step reads them where they are, and learns what it learns
// from the same numbers in floats.
#include <limits>

#include "data/dataset.h"
#include "error_text.h"
#include "graph/op_def.h"
#include "model_testing.h"
#include "train/pass.h"

namespace goneuron {
namespace {

constexpr i64 side = 12;

Tensor pixels(i64 count, i64 height = side, i64 width = side) {
  Tensor images(Shape{count, height, width, 1}, DType::u8);
  std::uint32_t state = 7;
  for (i64 i = 0; i < images.size(); ++i) {
    state = state * 1664525U + 1013904223U;
    images.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(state >> 24);
  }
  return images;
}
Tensor numbers(const Tensor& bytes) {
  Tensor floats(bytes.shape());
  for (i64 i = 0; i < bytes.size(); ++i)
    floats.data()[i] = static_cast<float>(bytes.data<std::uint8_t>()[i]) / 255.0F;
  return floats;
}

Model convolution(i64 filters = 16, bool frozen = false) {
  auto model = Sequential({Conv2D(filters, 3, {.padding = Same, .activation = ReLU}), MaxPool2D(2),
                           Flatten(), Dense(3, Softmax)});
  model.build({side, side, 1});
  model.layers()[0].set_trainable(!frozen);
  model.compile(Adam(0.01), CrossEntropy, {Accuracy}, {.seed = 4});
  return model;
}
bool in_place(Model model, const Dataset& data) {
  Binding binding = bind(*model.impl(), data, "fit", Site::here());
  binding.leave_in_place(*model.impl(), *data.impl(), Mode::train);
  return binding.feeds[0].by_row;
}

/// What a run of a few epochs leaves, with a rest in each epoch and a validation set.
struct Trained {
  Model model;
  History history;
};
Trained trained(const Dataset& data, Model model, i64 accumulate = 1) {
  History history = model.fit(data, {.epochs = 3,
                                     .batch_size = 16,
                                     .validation = data.take(17),
                                     .seed = 2,
                                     .accumulate = accumulate});
  return {model, history};
}
void expect_same(const Dataset& bytes, const Dataset& floats, bool frozen, i64 accumulate) {
  EXPECT_TRUE(in_place(convolution(16, frozen), bytes));
  EXPECT_FALSE(in_place(convolution(16, frozen), floats));
  const Trained a = trained(bytes, convolution(16, frozen), accumulate),
                b = trained(floats, convolution(16, frozen), accumulate);
  expect_same_weights(a.model, b.model);
  EXPECT_EQ(a.history["loss"], b.history["loss"]);
  EXPECT_EQ(a.history["val_loss"], b.history["val_loss"]);
}

TEST(ByteRows, TrainAsTheirNumbersDo) {
  const Tensor x = pixels(70), y = labels(70, 3);
  const Dataset bytes(x, y), floats(numbers(x), y);
  for (const int workers : {1, 2, 3}) {
    set_threads(workers);
    expect_same(bytes, floats, false, 1);
    expect_same(bytes, floats, true, 1);
    expect_same(bytes, floats, false, 3);
  }
  set_threads(0);
  // Some of the rows, chosen in several ways.
  expect_same(bytes.take(50), floats.take(50), false, 1);
  expect_same(bytes.split(0.6).test, floats.split(0.6).test, false, 1);
  expect_same(bytes.shuffle(9).split(0.3).train, floats.shuffle(9).split(0.3).train, false, 1);
}

TEST(ByteRows, AreCopiedWhereNoStepReadsThem) {
  const Tensor x = pixels(40), y = labels(40, 3);
  const Dataset bytes(x, y);
  EXPECT_FALSE(in_place(convolution(10), bytes)) << "no kernel of that many filters";
  auto dense = Sequential({Flatten(), Dense(3, Softmax)});
  dense.compile(SGD(0.1), CrossEntropy);
  EXPECT_FALSE(in_place(dense, bytes));
  EXPECT_FALSE(in_place(convolution(), bytes.map([](const Sample& s) { return s; })));
  EXPECT_FALSE(in_place(convolution(), bytes.prefetch(1)));
  EXPECT_TRUE(in_place(convolution(), bytes));
}

TEST(ByteRows, AreReadByPlainLoopsToo) {
  const Tensor x = pixels(30), y = labels(30, 3);
  set_device("reference");
  expect_same(Dataset(x, y), Dataset(numbers(x), y), false, 1);
  set_device("cpu");
}

/// Edges that cut a vector, an image or a row short: narrow and flat images, wide frames of zeros.
TEST(ByteRows, OfAnySize) {
  for (const i64 height : {2, 3, 17})
    for (const i64 width : {2, 5, 16, 19, 33})
      for (const i64 padding : {0, 1, 3}) {
        if (padding == 0 && (height < 4 || width < 4)) continue;
        const Tensor x = pixels(20, height, width), y = labels(20, 3);
        const auto made = [&] {
          auto model = Sequential(
              {Conv2D(16, 3, {.padding = padding}), MaxPool2D(2), Flatten(), Dense(3, Softmax)});
          model.build({height, width, 1});
          model.compile(SGD(0.1), CrossEntropy, {}, {.seed = 3});
          return model;
        };
        EXPECT_TRUE(in_place(made(), Dataset(x, y)));
        expect_same_weights(trained(Dataset(x, y), made()).model,
                            trained(Dataset(numbers(x), y), made()).model);
      }
}

/// Two readers of the images, of which one reads no bytes: the batch is gathered for both.
TEST(ByteRows, AreCopiedForAnyReaderThatCannot) {
  const Tensor x = pixels(40), y = labels(40, 3);
  const auto made = [] {
    const Symbol in = Input({side, side, 1});
    const Symbol seen = in | Conv2D(16, 3, {.activation = ReLU}) | MaxPool2D(2) | Flatten();
    Model model(in, concat({seen, in | Flatten()}) | Dense(3, Softmax));
    model.compile(SGD(0.1), CrossEntropy, {}, {.seed = 1});
    return model;
  };
  EXPECT_FALSE(in_place(made(), Dataset(x, y)));
  expect_same_weights(trained(Dataset(x, y), made()).model,
                      trained(Dataset(numbers(x), y), made()).model);
}

/// The model keeps nothing that refers to the data.
TEST(ByteRows, AreLetGoAfterwards) {
  const Tensor x = pixels(40), y = labels(40, 3);
  const Trained run = trained(Dataset(x, y), convolution());
  for (const auto& [key, cached] : run.model.impl()->executors)
    for (const auto& executor : cached.idle)
      for (const Value& value : executor->plan().graph.values) EXPECT_EQ(value.table, -1);
  for (const Value& value : run.model.impl()->trained_plan->graph.values)
    EXPECT_TRUE(value.table < 0 || value.constant.empty());
}

TEST(ByteRows, AreShownWhereTheLossIsNotFinite) {
  const Tensor x = pixels(40), y = labels(40, 3);
  auto model = convolution();
  Tensor weight = model.weights()[0].value.clone(), bias = model.weights()[1].value.clone();
  weight.data()[5] = std::numeric_limits<float>::quiet_NaN();
  model.layers()[0].set_weights({weight, bias});
  expect_contains(message_of<DataError>([&] { model.fit(Dataset(x, y), {.epochs = 1}); }),
                  {"the loss is nan", "the weight", "is the first that is not finite"});
}

TEST(ByteRows, TakeNoMemoryOfTheBatch) {
  const Tensor x = pixels(70), y = labels(70, 3);
  const auto batch_bytes = [&](const Dataset& data) {
    auto model = convolution();
    ModelImpl& impl = *model.impl();
    Binding binding = bind(impl, data, "fit", Site::here());
    binding.leave_in_place(impl, *data.impl(), Mode::train);
    return plan_for(impl, binding.spec(impl, *data.impl(), Mode::train, 64))->io_bytes;
  };
  EXPECT_EQ(batch_bytes(Dataset(x, y)), 2 * 64 * 4) << "a number and a label a sample";
  EXPECT_EQ(batch_bytes(Dataset(numbers(x), y)), 64 * 4 * (side * side + 1));
}

}  // namespace
}  // namespace goneuron
