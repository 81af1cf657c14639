// Images of bytes that lie in memory: fit() reads them where they are, and learns what it learns
// from the same numbers in floats, bit for bit: the price of a table is that of the floats, so that
// both are cut alike.
#include <algorithm>
#include <functional>
#include <memory>

#include "data/loader.h"
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

Model convolution(i64 filters = 16, bool frozen = false, const CompileOptions& options = {}) {
  auto model = Sequential({Conv2D(filters, 3, {.padding = Same, .activation = ReLU}), MaxPool2D(2),
                           Flatten(), Dense(3, Softmax)});
  model.build({side, side, 1});
  model.layers()[0].set_trainable(!frozen);
  model.compile(Adam(0.01), CrossEntropy, {Accuracy}, options);
  return model;
}

/// True when the last step that trained the model read a table.
bool read_in_place(const Model& model) {
  const auto& values = model.impl()->trained_plan->graph.values;
  return std::any_of(values.begin(), values.end(), [](const Value& v) { return v.table >= 0; });
}

/// A few epochs, with a rest in each and a validation set.
History learn(Model& model, const Dataset& data, FitOptions options = {}) {
  options.epochs = 3;
  options.batch_size = 16;
  options.seed = 2;
  if (!options.validation) options.validation = data.take(17);
  return model.fit(data, options);
}

using Maker = std::function<Model()>;
void expect_same(const Dataset& bytes, const Dataset& floats, const Maker& made,
                 const FitOptions& options = {}) {
  Model a = made(), b = made();
  const History one = learn(a, bytes, options), other = learn(b, floats, options);
  EXPECT_TRUE(read_in_place(a));
  EXPECT_FALSE(read_in_place(b));
  expect_same_weights(a, b);
  EXPECT_EQ(one["loss"], other["loss"]);
  EXPECT_EQ(one["val_loss"], other["val_loss"]);
}
Model plain() { return convolution(); }

TEST(ByteRows, TrainAsTheirNumbersDo) {
  const Tensor x = pixels(70), y = labels(70, 3);
  const Dataset bytes(x, y), floats(numbers(x), y);
  for (const int workers : {1, 2, 3}) {
    set_threads(workers);
    expect_same(bytes, floats, plain);
    expect_same(bytes, floats, [] { return convolution(32, true); });
    expect_same(bytes, floats, plain, {.accumulate = 3});
  }
  set_threads(0);
  expect_same(bytes, floats, plain, {.class_weight = {1, 2, 0.5}});
  expect_same(bytes, floats, [] { return convolution(16, false, {.precision = BF16}); });
}

TEST(ByteRows, MayBeChosen) {
  const Tensor x = pixels(70), y = labels(70, 3);
  const Dataset bytes(x, y), floats(numbers(x), y);
  using Choice = std::function<Dataset(const Dataset&)>;
  const auto second_class = [](const Sample& s) { return s.y.at({}) == 1; };
  Tensor weights(Shape{70});
  for (i64 i = 0; i < 70; ++i) weights.data()[i] = static_cast<float>(i % 4);
  for (const Choice& choose : std::initializer_list<Choice>{
           [](const Dataset& d) { return d.take(50); },
           [](const Dataset& d) { return d.split(0.6).test; },
           [](const Dataset& d) { return d.shard(1, 3); },
           [](const Dataset& d) { return d.repeat(2); },
           [&](const Dataset& d) { return d.filter(second_class); },
           [](const Dataset& d) { return d.k_fold(3, 1, 8).train; },
           [](const Dataset& d) { return d.shuffle(9).shard(0, 2).take(20); },
           [&](const Dataset& d) { return d.weighted(weights); }}) {
    expect_same(choose(bytes), choose(floats), plain);
    expect_same(choose(bytes), choose(floats), plain, {.shuffle = false});
  }
  // Read in order, without a shuffle, for the validation.
  Model a = plain(), b = plain();
  EXPECT_EQ(learn(a, bytes, {.validation = bytes.shard(2, 3)})["val_loss"],
            learn(b, bytes, {.validation = floats.shard(2, 3)})["val_loss"]);
}

/// Edges that cut a vector, an image or a row short: narrow and flat images, wide frames of zeros.
TEST(ByteRows, OfAnySize) {
  for (const i64 height : {1, 3, 17})
    for (const i64 width : {1, 2, 5, 16, 19, 33})
      for (const i64 padding : {0, 1, 3}) {
        if (std::min(height, width) + 2 * padding < 4) continue;
        const Tensor x = pixels(20, height, width), y = labels(20, 3);
        expect_same(Dataset(x, y), Dataset(numbers(x), y), [&] {
          auto model = Sequential(
              {Conv2D(
                   16, 3,
                   {.padding = padding, .activation = ReLU, .bias = width % 2 == 0 || height == 3}),
               MaxPool2D(2), Flatten(), Dense(3, Softmax)});
          model.build({height, width, 1});
          model.compile(SGD(0.1), CrossEntropy, {}, {.seed = 3});
          return model;
        });
      }
}

TEST(ByteRows, AreReadByPlainLoopsToo) {
  struct Reference {
    Reference() { set_device("reference"); }
    ~Reference() { set_device("cpu"); }
  } device;
  const Tensor x = pixels(30), y = labels(30, 3);
  expect_same(Dataset(x, y), Dataset(numbers(x), y), plain);
}

/// Beside an input of floats that is large enough for the workers to fill it together.
TEST(ByteRows, BesideAnotherInput) {
  const Tensor x = pixels(70), more = values({70, 2000}, 5), y = labels(70, 3);
  set_threads(3);
  expect_same(Dataset(Tensors{x, more}, y), Dataset(Tensors{numbers(x), more}, y), [] {
    const Symbol image = Input({side, side, 1}), vector = Input({2000});
    const Symbol seen = image | Conv2D(16, 3, {.activation = ReLU}) | MaxPool2D(2) | Flatten();
    Model model({image, vector}, concat({seen, vector}) | Dense(3, Softmax));
    model.compile(SGD(0.01), CrossEntropy, {}, {.seed = 1});
    return model;
  });
  set_threads(0);
}

TEST(ByteRows, AreCopiedWhereNoStepReadsThem) {
  const Tensor x = pixels(40), y = labels(40, 3);
  const Dataset bytes(x, y);
  const auto copied = [](Model model, const Dataset& data) {
    learn(model, data);
    return !read_in_place(model);
  };
  EXPECT_TRUE(copied(convolution(10), bytes)) << "no kernel of that many filters";
  auto dense = Sequential({Flatten(), Dense(3, Softmax)});
  dense.compile(SGD(0.1), CrossEntropy);
  EXPECT_TRUE(copied(dense, bytes));
  EXPECT_TRUE(copied(plain(), bytes.map([](const Sample& s) { return s; })));
  EXPECT_TRUE(copied(plain(), bytes.prefetch(1)));
  // Two readers, of which one reads no bytes.
  const Symbol in = Input({side, side, 1});
  const Symbol seen = in | Conv2D(16, 3, {.activation = ReLU}) | MaxPool2D(2) | Flatten();
  Model both(in, concat({seen, in | Flatten()}) | Dense(3, Softmax));
  both.compile(SGD(0.1), CrossEntropy);
  EXPECT_TRUE(copied(both, bytes));
  EXPECT_FALSE(copied(plain(), bytes));
}

/// A step on one batch keeps its executor, whose plan is dear, and so copies the batch.
TEST(ByteRows, AreCopiedForStepsOnABatch) {
  const Tensor x = pixels(16), y = labels(16, 3);
  auto model = plain();
  model.train_on_batch(x, y);
  EXPECT_FALSE(read_in_place(model));
  const auto plan = model.impl()->trained_plan;
  model.train_on_batch(x, y);
  EXPECT_EQ(model.impl()->trained_plan, plan);
}

/// Neither the model nor a kept executor refers to the data.
TEST(ByteRows, AreLetGoAfterwards) {
  auto model = plain();
  std::weak_ptr<void> memory;
  {
    const Tensor x = pixels(40);
    const auto owner = std::make_shared<Tensor>(x);
    memory = owner;
    const Tensor held = Tensor::adopt(owner, owner->raw(), x.shape(), DType::u8);
    learn(model, Dataset(held, labels(40, 3)));
  }
  EXPECT_TRUE(read_in_place(model));
  EXPECT_TRUE(memory.expired());
}

/// The loss is infinite by what the images hold: the diagnosis reads them as the step does.
TEST(ByteRows, AreShownWhereTheLossIsNotFinite) {
  const Tensor x = pixels(40), y = labels(40, 3);
  auto model = plain();
  Tensor weight = model.weights()[0].value.clone();
  std::fill_n(weight.data(), weight.size(), 2e38F);
  model.layers()[0].set_weights({weight, model.weights()[1].value.clone()});
  expect_contains(message_of<DataError>([&] { model.fit(Dataset(x, y), {.epochs = 1}); }),
                  {"the output of Conv2D", "is the first that is not finite"});
}

TEST(ByteRows, TakeNoMemoryOfTheBatch) {
  const Tensor x = pixels(70), y = labels(70, 3);
  expect_contains(plain().memory_report(Dataset(x, y), {.batch_size = 64}), {"batch 512 B"});
  expect_contains(plain().memory_report(Dataset(numbers(x), y), {.batch_size = 64}),
                  {"batch 36.2 KiB"});
  auto model = plain();
  learn(model, Dataset(x, y));
  EXPECT_EQ(model.impl()->trained_plan->io_bytes, 2 * 64) << "numbers of 6 rows, and 6 labels";
}

/// Runs its parts one after the other, the last one first.
struct ThreeInTurn : Crew {
  void run(void (*part)(const void* work, i64 index, i64 parts), const void* work) override {
    for (i64 i = 3; i-- > 0;) part(work, i, 3);
  }
};

/// From the middle of an epoch on, whoever writes them, the numbers are those of the samples.
TEST(ByteRows, AreNumberedFromAnyStepOn) {
  const Tensor x = pixels(70), more = values({70, 4000}), y = labels(70, 3);
  const std::vector<Feed> feeds = {{GatherRole::input, 0, DType::i32, true},
                                   {GatherRole::input, 1, DType::f32},
                                   {GatherRole::target, 0, DType::i32}};
  for (const bool shuffle : {false, true}) {
    Loader loader(Dataset(Tensors{x, more}, y), 16, shuffle, 5, feeds);
    loader.start_epoch(3, 2);
    std::vector<std::int32_t> rows(16), classes(16);
    std::vector<float> floats(size_t{16} * 4000);
    void* const memory[] = {rows.data(), floats.data(), classes.data()};
    ThreeInTurn crew;
    for (i64 step = 2; const i64 count = loader.next(memory, &crew); ++step)
      for (i64 r = 0; r < count; ++r) {
        const i64 row = rows[static_cast<size_t>(r)];
        EXPECT_EQ(row, loader.sample(step, r));
        EXPECT_EQ(classes[static_cast<size_t>(r)], y.data<std::int32_t>()[row]);
      }
  }
}

}  // namespace
}  // namespace goneuron
