// The loader over sources, maps and threads: the same batches for any number of threads and from
// any step on, each row read once, and little more of a source in memory than the buffer's rows.

#include <goneuron/goneuron.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <thread>

#include "error_text.h"
#include "number_source.h"

namespace goneuron {
namespace {

/// `epoch` without the first `rows`.
Epoch tail(Epoch epoch, i64 rows) {
  epoch.x.erase(epoch.x.begin(), epoch.x.begin() + 2 * rows);
  epoch.y.erase(epoch.y.begin(), epoch.y.begin() + rows);
  epoch.samples.erase(epoch.samples.begin(), epoch.samples.begin() + rows);
  return epoch;
}
std::vector<std::int32_t> counted_up(i64 count, std::int32_t first = 0) {
  std::vector<std::int32_t> all(static_cast<size_t>(count));
  std::iota(all.begin(), all.end(), first);
  return all;
}
std::vector<std::int32_t> sorted(std::vector<std::int32_t> values) {
  std::sort(values.begin(), values.end());
  return values;
}

/// A map that adds a random number of the sample's own to it.
Dataset noisy(const Dataset& data) {
  return data.map([](const Sample& s, const SampleContext& context) {
    auto random = context.random();
    Sample out = s;
    out.x.set({1}, random.uniform(-1, 1));
    return out;
  });
}

TEST(Source, GivesWhatArraysDo) {
  for (const i64 block : {1, 8})
    for (const bool shuffle : {false, true}) {
      if (shuffle && block > 1) continue;  // another order, below
      for (const i64 batch : {1, 7, 32, 500})
        EXPECT_EQ(read(numbers(101, block), batch, shuffle), read(arrays(101), batch, shuffle));
    }
  EXPECT_EQ(numbers(2500, 8).arrays().x, arrays(2500).arrays().x);
  EXPECT_EQ(numbers(10, 8).x_shape(), Shape({2}));
}

TEST(Source, SplitsAndSlices) {
  for (const i64 block : {1, 8}) {
    const Dataset all = numbers(100, block);
    const auto [front, back] = all.split(0.7);
    EXPECT_EQ(back.size(), 30);
    EXPECT_EQ(read(back, 8, false).y, counted_up(30, 70));
    EXPECT_EQ(read(back, 8, false).samples[0], 0) << "numbers are those of the part";
    EXPECT_EQ(back.take(5).arrays().y, arrays(100).arrays().y.slice(70, 75));
    EXPECT_EQ(sorted(read(back, 8, true).y), counted_up(30, 70));
    EXPECT_EQ(read(back.split(0.5).test, 4, false).y, counted_up(15, 85));
  }
}

TEST(Source, ConvertsToTheModelsTypes) {
  Loader loader(numbers(10, 8).map([](const Sample& s) {
    return Sample{Tensor(std::vector<float>{s.x.data()[0], 3}), s.y};
  }),
                4, false, 0, DType::i32, DType::f32);
  std::int32_t x[8];
  float y[4];
  void* const memory[] = {x, y};
  loader.start_epoch(0);
  EXPECT_EQ(loader.next(memory), 4);
  EXPECT_EQ(x[6], 3);
  EXPECT_EQ(y[3], 3.0F);
  // 0.5 is no whole number.
  Loader halves(numbers(10, 8), 4, false, 0, DType::i32, DType::f32);
  halves.start_epoch(0);
  expect_contains(message_of<DataError>([&] { halves.next(memory); }),
                  {"x is 0.5 in row 0, column 1", "whole numbers"});
  EXPECT_THROW(Loader(numbers(10, 1).map([](const Sample& s) {
                 return Sample{s.x, s.y.to(DType::f32)};
               }),
                      4, false, 0, DType::f32, DType::i32),
               TypeError);
}

TEST(Blocks, AreShuffledAsAFunctionOfSeedAndEpoch) {
  const Dataset data = numbers(1000, 16).shuffle(3, 100);
  const Epoch first = read(data, 32, true);
  EXPECT_EQ(sorted(first.y), counted_up(1000)) << "each row once";
  EXPECT_FALSE(first.y == counted_up(1000));
  EXPECT_EQ(read(data, 32, true), first);
  EXPECT_EQ(read(data, 9, true).y, first.y) << "the batch size changes nothing";
  EXPECT_FALSE(read(data, 32, true, 1) == first);
  EXPECT_FALSE(read(numbers(1000, 16).shuffle(4, 100), 32, true) == first);
  EXPECT_FALSE(read(numbers(1000, 16).shuffle(3, 50), 32, true) == first);
  for (size_t i = 0; i < first.y.size(); ++i) {
    ASSERT_EQ(first.x[2 * i], static_cast<float>(first.y[i]));
    ASSERT_EQ(first.samples[i], first.y[i]);
  }
  // A window: rows of at most 8 blocks among any 100 that begin one.
  std::vector<std::int32_t> blocks;
  for (size_t i = 0; i < 100; ++i) blocks.push_back(first.y[i] / 16);
  std::sort(blocks.begin(), blocks.end());
  blocks.erase(std::unique(blocks.begin(), blocks.end()), blocks.end());
  EXPECT_LE(blocks.size(), 8U);
  EXPECT_GE(blocks.size(), 6U);
  Loader loader(data, 32, true, 5, DType::f32, DType::i32);
  read(loader, 4);
  EXPECT_EQ(read(loader, 0), first) << "epochs before change nothing";
}

TEST(Blocks, EachRowIsReadOnceAndNotLongBefore) {
  for (const bool shuffle : {false, true}) {
    const auto source = std::make_shared<Numbers>(1000, 16);
    Loader loader(over(source).shuffle(3, 64).prefetch(false), 10, shuffle, 5, DType::f32,
                  DType::i32);
    std::vector<float> x(20);
    std::vector<std::int32_t> y(10);
    void* const memory[] = {x.data(), y.data()};
    loader.start_epoch(0);
    i64 used = 0;
    while (const i64 rows = loader.next(memory)) {
      used += rows;
      // Two windows of at most 64 + 15 rows.
      ASSERT_LE(static_cast<i64>(source->seen().size()), used + 2 * 79) << "after " << used;
    }
    auto seen = source->seen();
    EXPECT_EQ(seen.size(), 1000U);
    std::sort(seen.begin(), seen.end());
    EXPECT_TRUE(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
  }
}

TEST(Blocks, ReadingIsSpreadOverTheBatches) {
  const auto source = std::make_shared<Numbers>(4096, 16);
  Loader loader(over(source).shuffle(3, 1024).prefetch(false), 16, true, 5, DType::f32, DType::i32);
  std::vector<float> x(32);
  std::vector<std::int32_t> y(16);
  void* const memory[] = {x.data(), y.data()};
  loader.start_epoch(0);
  loader.next(memory);
  for (size_t before = source->seen().size(); loader.next(memory) > 0;) {
    const size_t now = source->seen().size();
    ASSERT_LE(now - before, 32U) << "two blocks a batch at most";
    before = now;
  }
}

struct Case {
  const char* name;
  Dataset data;
};
std::vector<Case> cases() {
  return {{"arrays", arrays(300)},
          {"mapped arrays", noisy(arrays(300))},
          {"rows", numbers(300, 1)},
          {"mapped rows", noisy(numbers(300, 1))},
          {"blocks", numbers(300, 16).shuffle(5, 50)},
          {"mapped blocks", noisy(numbers(300, 16).shuffle(5, 50))},
          {"part of blocks", noisy(numbers(320, 16).shuffle(5, 50).split(0.0625).test)}};
}

TEST(Loader, AnyNumberOfThreadsGivesTheSame) {
  for (const Case& c : cases())
    for (const bool shuffle : {false, true}) {
      const Epoch one = read(c.data.prefetch(false), 32, shuffle, 2);
      ASSERT_EQ(one.y.size(), 300U);
      for (const int threads : {1, 2, 3, 8})
        EXPECT_EQ(read(c.data.prefetch(threads), 32, shuffle, 2), one) << c.name << threads;
    }
}

TEST(Loader, StartsInTheMiddleOfAnEpoch) {
  for (const Case& c : cases())
    for (const int threads : {1, 3})
      for (const bool shuffle : {false, true}) {
        const Epoch whole = read(c.data, 32, shuffle, 3);
        for (const i64 step : {0, 1, 5, 9, 10})
          EXPECT_EQ(read(c.data.prefetch(threads), 32, shuffle, 3, step),
                    tail(whole, std::min<i64>(32 * step, 300)))
              << c.name << " from " << step;
      }
}

TEST(Loader, WhatLiesBeforeIsNotRead) {
  for (const i64 block : {1, 16}) {
    const auto source = std::make_shared<Numbers>(1600, block);
    Loader loader(over(source).shuffle(5, 100), 16, true, 5, DType::f32, DType::i32);
    EXPECT_EQ(read(loader, 0, 90).y.size(), 160U);
    EXPECT_LE(source->seen().size(), block == 1 ? 160U : 160U + 116U);
  }
  Loader loader(numbers(100, 1), 10, true, 5, DType::f32, DType::i32);
  expect_contains(message_of<DataError>([&] { loader.start_epoch(0, 11); }),
                  {"10 steps", "number 11", "hint"});
  EXPECT_THROW(loader.start_epoch(0, -1), DataError);
}

TEST(Loader, SamplesHaveRandomNumbersOfTheirOwn) {
  const auto random = [](const Epoch& epoch) {
    std::vector<std::pair<std::int32_t, float>> all;
    for (size_t i = 0; i < epoch.y.size(); ++i) all.emplace_back(epoch.y[i], epoch.x[2 * i + 1]);
    std::sort(all.begin(), all.end());
    return all;
  };
  const Dataset data = noisy(arrays(1000));
  const auto first = random(read(data, 32, true));
  EXPECT_EQ(random(read(data, 7, true)), first) << "whatever the batch";
  EXPECT_EQ(random(read(data, 32, false)), first) << "whatever the order";
  EXPECT_FALSE(random(read(data, 32, true, 1)) == first) << "another epoch, other numbers";
  EXPECT_FALSE(random(read(data.shuffle(6), 32, true)) == first) << "another seed too";
  double sum = 0, squares = 0;
  for (const auto& [index, value] : first) {
    sum += value;
    squares += value * value;
  }
  // Uniform in [-1, 1): mean 0 +- 0.018, mean square 1/3 +- 0.009.
  EXPECT_NEAR(sum / 1000, 0, 0.09);
  EXPECT_NEAR(squares / 1000, 1.0 / 3, 0.05);
  auto stream = SampleContext{1, 2, 3}.random(4), again = SampleContext{1, 2, 3}.random(4),
       other = SampleContext{1, 2, 3}.random(5);
  EXPECT_EQ(stream(), again());
  for (int i = 0; i < 9; ++i) EXPECT_EQ(stream(), again()) << i;
  EXPECT_NE(stream(), other());
}

TEST(Loader, ErrorsComeFromTheFirstRowThatHasOne) {
  for (const i64 block : {1, 16})
    for (const int threads : {1, 4}) {
      const auto source = std::make_shared<Numbers>(300, block, 77);
      Loader loader(over(source).prefetch(threads), 32, false, 5, DType::f32, DType::i32);
      std::vector<float> x(64);
      std::vector<std::int32_t> y(32);
      void* const memory[] = {x.data(), y.data()};
      loader.start_epoch(0);
      EXPECT_EQ(loader.next(memory), 32);
      EXPECT_THROW(while (loader.next(memory)){}, DataError);
      EXPECT_LT(y[0], 77) << "batches before it still came";
      loader.start_epoch(1, 5);
      EXPECT_EQ(loader.next(memory), 32) << "and one that lies behind it";
      EXPECT_EQ(y[0], 160);
    }
  for (int repeat = 0; repeat < 20; ++repeat) {
    Loader loader(arrays(64)
                      .map([](const Sample& s) {
                        if (s.y.item() > 20) throw DataError("at " + std::to_string(s.y.item()));
                        return s;
                      })
                      .prefetch(4),
                  64, false, 5, DType::f32, DType::i32);
    std::vector<float> x(128);
    std::vector<std::int32_t> y(64);
    void* const memory[] = {x.data(), y.data()};
    loader.start_epoch(0);
    expect_contains(message_of<DataError>([&] { loader.next(memory); }), {"at 21"});
  }
}

TEST(Loader, SaysHowLongDataWasWaitedFor) {
  const auto slow = [](const Sample& s) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return s;
  };
  Loader inline_(arrays(20).map(slow).prefetch(false), 10, false, 5, DType::f32, DType::i32);
  EXPECT_EQ(inline_.waited(), 0);
  read(inline_, 0);
  EXPECT_GE(inline_.waited(), 0.039);
  inline_.start_epoch(1);
  EXPECT_EQ(inline_.waited(), 0) << "counted by epoch";
  // A step that takes longer than its data waits for the first batch at most.
  Loader ahead(arrays(40).map(slow).prefetch(1), 4, false, 5, DType::f32, DType::i32);
  std::vector<float> x(8);
  std::vector<std::int32_t> y(4);
  void* const memory[] = {x.data(), y.data()};
  ahead.start_epoch(0);
  while (ahead.next(memory) > 0) std::this_thread::sleep_for(std::chrono::milliseconds(30));
  EXPECT_LT(ahead.waited(), 0.08) << "of 0.08 s of loading";
}

/// Runs its parts one after the other, the last one first.
struct ThreeInTurn : Crew {
  void run(void (*part)(const void* work, i64 index, i64 parts), const void* work) override {
    for (i64 i = 3; i-- > 0;) part(work, i, 3);
    ++calls;
  }
  int calls = 0;
};

TEST(Loader, ACrewFillsTheSameBatches) {
  Tensor x(Shape{200, 300}), y(Shape{200});
  for (i64 i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i);
  for (i64 i = 0; i < y.size(); ++i) y.data()[i] = static_cast<float>(-i);
  for (const bool shuffle : {false, true}) {
    Loader alone(Dataset(x, y), 64, shuffle, 5, DType::f32, DType::f32);
    Loader shared(Dataset(x, y), 64, shuffle, 5, DType::f32, DType::f32);
    ThreeInTurn crew;
    alone.start_epoch(1);
    shared.start_epoch(1);
    for (int step = 0; step < 4; ++step) {
      std::vector<float> x0(64 * 300, -1), x1 = x0, y0(64, 1), y1 = y0;
      void* const expected[] = {x0.data(), y0.data()};
      void* const found[] = {x1.data(), y1.data()};
      EXPECT_EQ(alone.next(expected), shared.next(found, &crew));
      EXPECT_EQ(x0, x1) << step;
      EXPECT_EQ(y0, y1) << step;
      for (i64 row = 0; row < alone.rows(step); ++row)
        EXPECT_EQ(x1[static_cast<size_t>(row * 300)], -300 * y1[static_cast<size_t>(row)]);
    }
    EXPECT_EQ(crew.calls, 3) << "the last batch, of 8 rows, is too small";
  }
}

/// Checks the batches of `dataset` in bands against those that are not.
void expect_in_bands(const Dataset& dataset, Crew* crew) {
  constexpr i64 batch = 64, elements = 300, bands[] = {6, 1};
  Loader plain(dataset, batch, true, 5, DType::f32, DType::f32);
  Loader banded(dataset, batch, true, 5, DType::f32, DType::f32);
  plain.start_epoch(1);
  banded.start_epoch(1);
  std::vector<float> x0(batch * elements), x1(x0), y0(batch), y1(y0);
  void* const expected[] = {x0.data(), y0.data()};
  void* const found[] = {x1.data(), y1.data()};
  while (const i64 rows = plain.next(expected)) {
    ASSERT_EQ(banded.next({found, bands}, crew), rows);
    EXPECT_EQ(y0, y1);
    for (i64 row = 0; row < rows; ++row)
      for (i64 e = 0; e < elements; ++e)
        ASSERT_EQ(x1[static_cast<size_t>((e / 50 * rows + row) * 50 + e % 50)],
                  x0[static_cast<size_t>(row * elements + e)]);
  }
}

TEST(Loader, ABatchMayLieInBands) {
  Tensor x(Shape{200, 30, 10}), y(Shape{200});
  for (i64 i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i);
  for (i64 i = 0; i < y.size(); ++i) y.data()[i] = static_cast<float>(-i);
  Tensor pixels(x.shape(), DType::u8);
  for (i64 i = 0; i < x.size(); ++i)
    pixels.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(i * 7);
  const Dataset data(x, y), bytes(pixels, y);
  ThreeInTurn crew;
  for (Crew* one : {static_cast<Crew*>(nullptr), static_cast<Crew*>(&crew)}) {
    expect_in_bands(data, one);
    expect_in_bands(data.map([](Sample s) { return s; }), one);
    expect_in_bands(data.prefetch(2), one);
    expect_in_bands(bytes, one);  // 50 a band: two vectors would not hold them evenly
  }
  EXPECT_GT(crew.calls, 0);
}

/// Data in memory is gathered between two steps: what the first program waits for it is little.
TEST(Loader, KeepsUpWithTheFirstProgram) {
  auto model = Sequential({
      Conv2D(32, 3, {.padding = Same, .activation = ReLU}),
      MaxPool2D(2),
      Flatten(),
      Dense(10, Softmax),
  });
  model.compile(Adam(0.001), CrossEntropy, {Accuracy});
  double waited = 0, worked = 0;
  set_threads(1);  // of two, one may wait for a core that others use, and is counted as waiting
  model.fit(data::fashion_mnist().train.take(20000),
            {.epochs = 1, .callbacks = {Lambda([&](TrainingState& state) {
                            waited = state.waited;
                            worked = state.step_seconds;
                          })}});
  set_threads(0);
  EXPECT_GT(waited, 0);
  EXPECT_LT(waited, 0.1 * worked) << "2 % on an idle machine";
}

TEST(Loader, RefusesBadCounts) {
  expect_contains(message_of<DataError>([] { arrays(3).prefetch(0); }), {"0 threads", "1 to 64"});
  EXPECT_THROW(arrays(3).prefetch(65), DataError);
  expect_contains(message_of<DataError>([] { arrays(3).shuffle(1, 0); }),
                  {"Dataset::shuffle", "0 rows", "hint"});
}

TEST(Loader, TrainsTheSameFromASourceAsFromArrays) {
  const auto weights = [](const Dataset& data) {
    auto model = Sequential({Dense(4, Tanh), Dense(1)});
    model.compile(SGD(0.0001), MSE);
    model.fit(data.map([](const Sample& s) {
      return Sample{s.x, s.y.to(DType::f32).reshape({1})};
    }),
              {.epochs = 2, .batch_size = 16, .seed = 3});
    std::vector<float> all;
    for (const Weight& w : model.weights())
      all.insert(all.end(), w.value.data(), w.value.data() + w.value.size());
    return all;
  };
  const auto wanted = weights(arrays(100));
  EXPECT_EQ(weights(numbers(100, 1)), wanted);
  EXPECT_EQ(weights(numbers(100, 1).prefetch(4)), wanted);
  EXPECT_EQ(weights(numbers(100, 16).prefetch(4)), weights(numbers(100, 16)));
}

}  // namespace
}  // namespace goneuron
