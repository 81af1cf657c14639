// Datasets: what chaining gives, batches in every order, prefetching, and the data sets on disk.
#include <goneuron/goneuron.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <stdexcept>
#include <thread>

#include "data/loader.h"
#include "error_text.h"

namespace goneuron {
namespace {

namespace fs = std::filesystem;

/// Sample i is {i, i + 0.5} with the label i.
Dataset numbered(i64 count) {
  Tensor x(Shape{count, 2});
  Tensor y(Shape{count}, DType::i32);
  for (i64 i = 0; i < count; ++i) {
    x.set({i, 0}, static_cast<double>(i));
    x.set({i, 1}, static_cast<double>(i) + 0.5);
    y.set({i}, static_cast<double>(i));
  }
  return {x, y};
}

struct Epoch {
  std::vector<float> x;
  std::vector<std::int32_t> y;
  std::vector<i64> rows;
  bool operator==(const Epoch& other) const {
    return x == other.x && y == other.y && rows == other.rows;
  }
};

/// One epoch through a loader, as fit() reads it.
Epoch read(Loader& loader, i64 epoch, i64 width = 2) {
  Epoch out;
  std::vector<float> x(static_cast<size_t>(loader.batch_size() * width));
  std::vector<std::int32_t> y(static_cast<size_t>(loader.batch_size()));
  loader.start_epoch(epoch);
  void* const memory[] = {x.data(), y.data()};
  while (const i64 rows = loader.next(memory)) {
    out.x.insert(out.x.end(), x.begin(), x.begin() + rows * width);
    out.y.insert(out.y.end(), y.begin(), y.begin() + rows);
    out.rows.push_back(rows);
  }
  return out;
}

Epoch read(const Dataset& data, i64 batch, bool shuffle, std::uint64_t seed, i64 epoch) {
  Loader loader(data, batch, shuffle, seed, DType::f32, DType::i32);
  return read(loader, epoch);
}

TEST(Dataset, SharesItsArrays) {
  const Tensor x(Shape{4, 3}), y(Shape{4}, DType::u8);
  const Dataset data(x, y);
  EXPECT_EQ(data.size(), 4);
  EXPECT_EQ(data.x_shape(), Shape({3}));
  EXPECT_EQ(data.y_shape(), Shape({}));
  EXPECT_EQ(data.x_dtype(), DType::f32);
  EXPECT_EQ(data.y_dtype(), DType::u8);
  const Sample all = data.arrays();
  EXPECT_EQ(all.x.raw(), x.raw());
  EXPECT_EQ(all.y.raw(), y.raw());
  const auto [front, back] = data.split(0.5);
  EXPECT_EQ(front.arrays().x.raw(), x.raw());
  EXPECT_EQ(back.arrays().x.raw(), x.data() + 6);
  EXPECT_EQ(data.take(2).arrays().y.raw(), y.raw());
}

TEST(Dataset, EmptyDataAndCountsThatDiffer) {
  expect_contains(message_of<DataError>([] {
                    Dataset(Tensor(Shape{3, 2}), Tensor(Shape{4}));
                  }),
                  {"Dataset (dataset_test.cpp:", "x has 3", "y has 4", "[3, 2] f32", "hint"});
  expect_contains(message_of<DataError>([] {
                    Dataset(Tensor(Shape{0, 2}), Tensor(Shape{0}));
                  }),
                  {"x has no samples", "[0, 2]"});
  EXPECT_THROW(Dataset(Tensor(), Tensor(Shape{1})), DataError);
  EXPECT_THROW(Dataset(Tensor(Shape{1}), Tensor()), DataError);
  EXPECT_THROW(Dataset(Tensor(Shape{2, 0}), Tensor(Shape{2})), DataError);
  const Dataset none;
  EXPECT_FALSE(none);
  EXPECT_EQ(none.size(), 0);
  for (const auto& use : std::vector<std::function<void()>>{
           [&] { none.x_shape(); }, [&] { none.map([](const Sample& s) { return s; }); },
           [&] { none.shuffle(1); }, [&] { none.batch(2); }, [&] { none.prefetch(); },
           [&] { none.split(0.5); }, [&] { none.take(1); }, [&] { none.arrays(); }})
    expect_contains(message_of<DataError>(use), {"the dataset has no samples", "hint"});
}

TEST(Dataset, MapChangesShapesAndDtypes) {
  const Dataset data = numbered(5).map([](const Sample& s) {
    return Sample{Tensor(std::vector<float>{static_cast<float>(s.x.at({0}) + s.x.at({1})), 1, 2}),
                  s.y.to(DType::f32).reshape({1})};
  });
  EXPECT_EQ(data.size(), 5);
  EXPECT_EQ(data.x_shape(), Shape({3}));
  EXPECT_EQ(data.y_shape(), Shape({1}));
  EXPECT_EQ(data.y_dtype(), DType::f32);
  const Sample all = data.arrays();
  EXPECT_EQ(all.x.shape(), Shape({5, 3}));
  EXPECT_EQ(all.y.shape(), Shape({5, 1}));
  for (i64 i = 0; i < 5; ++i) {
    EXPECT_EQ(all.x.at({i, 0}), 2 * static_cast<double>(i) + 0.5);
    EXPECT_EQ(all.x.at({i, 2}), 2);
    EXPECT_EQ(all.y.at({i, 0}), static_cast<double>(i));
  }
}

TEST(Dataset, MapsRunInOrderAndLeaveTheDataAlone) {
  const Dataset base = numbered(3);
  const Dataset data = base.map([](const Sample& s) {
                             Sample changed = s;
                             changed.x.set({0}, changed.x.at({0}) + 1);
                             return changed;
                           })
                           .map([](const Sample& s) {
                             Sample changed = s;
                             changed.x.set({0}, changed.x.at({0}) * 10);
                             return changed;
                           });
  for (int pass = 0; pass < 2; ++pass)
    for (i64 i = 0; i < 3; ++i)
      EXPECT_EQ(data.arrays().x.at({i, 0}), 10 * (static_cast<double>(i) + 1));
  EXPECT_EQ(base.arrays().x, numbered(3).arrays().x);
}

TEST(Dataset, MapsThatDoNotFit) {
  EXPECT_THROW(numbered(3).map(std::function<Sample(const Sample&)>()), DataError);
  EXPECT_THROW(numbered(3).map([](const Sample&) { return Sample{}; }), DataError);
  const Dataset uneven = numbered(3).map([](const Sample& s) {
    return Sample{s.y.item() == 2 ? Tensor(Shape{3}) : s.x, s.y};
  });
  expect_contains(message_of<DataError>([&] { uneven.arrays(); }),
                  {"Dataset::map", "sample 2", "[3] f32", "[2] f32", "hint"});
}

TEST(Dataset, SplitAndTake) {
  const auto [train, test] = numbered(10).split(0.7);
  EXPECT_EQ(train.size(), 7);
  EXPECT_EQ(test.size(), 3);
  EXPECT_EQ(train.arrays().y.at({6}), 6);
  EXPECT_EQ(test.arrays().y.at({0}), 7);
  EXPECT_EQ(test.arrays().x.at({2, 0}), 9);
  EXPECT_EQ(numbered(10).take(4).size(), 4);
  EXPECT_EQ(numbered(10).take(10).arrays().x, numbered(10).arrays().x);
  // 1 - 0.1 is a little below 0.9: still a round number of samples.
  EXPECT_EQ(numbered(10).split(1 - 0.1).train.size(), 9);
  for (const double fraction : {0.0, 1.0, -0.5, 1.5, 0.01, 0.99, std::nan("")})
    expect_contains(message_of<DataError>([&] { numbered(10).split(fraction); }),
                    {"Dataset::split", "10 samples", "hint"});
  EXPECT_THROW(numbered(10).take(0), DataError);
  EXPECT_THROW(numbered(10).take(-1), DataError);
  expect_contains(message_of<DataError>([] { numbered(10).take(11); }),
                  {"11 samples; expected 1 to 10"});
}

TEST(Dataset, BatchSizes) {
  EXPECT_THROW(numbered(3).batch(0), DataError);
  EXPECT_THROW(numbered(3).batch(-2), DataError);
  const Epoch epoch = read(numbered(10), 4, false, 0, 0);
  EXPECT_EQ(epoch.rows, (std::vector<i64>{4, 4, 2}));
  EXPECT_EQ(epoch.y, (std::vector<std::int32_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(epoch.x[19], 9.5F);
  EXPECT_EQ(read(numbered(3), 8, false, 0, 0).rows, (std::vector<i64>{3}));
  // fit() takes the dataset's batch where it is given none.
  auto model = Sequential({Dense(1)});
  model.compile(SGD(0.001), MSE);
  i64 seen = 0;
  const auto look = Lambda([&](TrainingState& state) { seen = state.steps; });
  model.fit(numbered(10).batch(3), {.callbacks = {look}});
  EXPECT_EQ(seen, 4);
  model.fit(numbered(10).batch(3), {.batch_size = 5, .callbacks = {look}});
  EXPECT_EQ(seen, 2);
}

TEST(Dataset, ShufflingIsAReproduciblePermutation) {
  constexpr i64 count = 1000;
  std::vector<std::int32_t> sorted(count);
  std::iota(sorted.begin(), sorted.end(), 0);
  const Epoch first = read(numbered(count), 32, true, 5, 0);
  EXPECT_EQ(read(numbered(count), 32, true, 5, 0), first);
  EXPECT_FALSE(read(numbered(count), 32, true, 6, 0).y == first.y);
  EXPECT_FALSE(read(numbered(count), 32, true, 5, 1).y == first.y);
  // The order does not depend on the batch size, nor on the epochs read before.
  EXPECT_EQ(read(numbered(count), 7, true, 5, 0).y, first.y);
  Loader loader(numbered(count), 32, true, 5, DType::f32, DType::i32);
  read(loader, 3);
  EXPECT_EQ(read(loader, 0), first);
  // Nothing is lost or doubled, and targets stay with their samples.
  auto y = first.y;
  EXPECT_FALSE(y == sorted);
  for (size_t i = 0; i < y.size(); ++i) {
    ASSERT_EQ(first.x[2 * i], static_cast<float>(y[i]));
    ASSERT_EQ(first.x[2 * i + 1], static_cast<float>(y[i]) + 0.5F);
  }
  std::sort(y.begin(), y.end());
  EXPECT_EQ(y, sorted);
}

// Of 6 samples there are 720 orders: over 7200 epochs each should come about 10 times. The sum of
// squared deviations (chi squared, 719 degrees of freedom: mean 719, deviation 38) tells a biased
// shuffle; 5 deviations never happen by chance, and seeds are fixed anyway.
TEST(Dataset, ShufflingFavoursNoOrder) {
  std::vector<int> seen(720);
  std::vector<std::uint32_t> order(6);
  for (i64 epoch = 0; epoch < 7200; ++epoch) {
    shuffled_order(order.data(), 6, 1, epoch);
    size_t number = 0;
    for (size_t i = 0; i < 6; ++i) {
      size_t smaller = 0;
      for (size_t j = i + 1; j < 6; ++j) smaller += order[j] < order[i] ? 1 : 0;
      number = number * (6 - i) + smaller;
    }
    ++seen[number];
  }
  double chi = 0;
  for (const int n : seen) chi += (n - 10.0) * (n - 10.0) / 10;
  EXPECT_LT(std::fabs(chi - 719), 190);
}

TEST(Dataset, ItsOwnSeedGoesBeforeTheLoops) {
  const Epoch own = read(numbered(50).shuffle(9), 8, true, 1, 0);
  EXPECT_EQ(own, read(numbered(50), 8, true, 9, 0));
  EXPECT_EQ(own, read(numbered(50).shuffle(9), 8, true, 2, 0));
  EXPECT_FALSE(own == read(numbered(50).shuffle(10), 8, true, 1, 0));
}

TEST(Dataset, PrefetchingChangesNothing) {
  const auto mapped = numbered(103).map([](const Sample& s) {
    Sample out = s;
    out.x.set({1}, s.x.at({0}) * 3);
    return out;
  });
  for (const Dataset& data : {numbered(103), mapped})
    for (const bool shuffle : {false, true}) {
      Loader with(data.prefetch(), 10, shuffle, 4, DType::f32, DType::i32);
      Loader without(data.prefetch(false), 10, shuffle, 4, DType::f32, DType::i32);
      for (i64 epoch = 0; epoch < 4; ++epoch) EXPECT_EQ(read(with, epoch), read(without, epoch));
      // An epoch that is left half way, then the next one.
      std::vector<float> x(20);
      std::vector<std::int32_t> y(10);
      with.start_epoch(9);
      void* const memory[] = {x.data(), y.data()};
      with.next(memory);
      EXPECT_EQ(read(with, 5), read(without, 5));
    }
}

TEST(Dataset, MapsArePrefetchedOnAnotherThread) {
  const auto caller = std::this_thread::get_id();
  std::atomic<int> elsewhere = 0, here = 0;
  const Dataset data = numbered(20).map([&](const Sample& s) {
    ++(std::this_thread::get_id() == caller ? here : elsewhere);
    return s;
  });
  EXPECT_EQ(here, 1) << "the first sample tells the shapes";
  read(data, 5, false, 0, 0);
  EXPECT_EQ(here, 1);
  EXPECT_EQ(elsewhere, 20);
  read(data.prefetch(false), 5, false, 0, 0);
  EXPECT_EQ(here, 21);
  EXPECT_EQ(elsewhere, 20);
}

TEST(Dataset, WhatAMapThrowsReachesTheCaller) {
  std::atomic<bool> broken = true;
  const Dataset data = numbered(20).map([&](const Sample& s) {
    if (broken && s.y.item() == 13) throw std::runtime_error("sample 13 is bad");
    return s;
  });
  for (const bool prefetch : {true, false}) {
    broken = true;
    Loader loader(data.prefetch(prefetch), 5, false, 0, DType::f32, DType::i32);
    std::vector<float> x(10);
    std::vector<std::int32_t> y(5);
    void* const target[] = {x.data(), y.data()};
    loader.start_epoch(0);
    EXPECT_EQ(loader.next(target), 5);
    EXPECT_EQ(loader.next(target), 5) << "the batches before the bad one still come";
    EXPECT_EQ(message_of<std::runtime_error>([&] { loader.next(target); }), "sample 13 is bad");
    broken = false;
    EXPECT_EQ(read(loader, 1).y.size(), 20U) << "and the next epoch is whole";
  }
  broken = true;
  auto model = Sequential({Dense(1)});
  model.compile(SGD(0.001), MSE);
  EXPECT_EQ(message_of<std::runtime_error>([&] { model.fit(data, {.batch_size = 5}); }),
            "sample 13 is bad");
  broken = false;
  EXPECT_EQ(model.fit(data, {.batch_size = 5}).epochs.size(), 1U);
}

TEST(Dataset, ALoaderThatIsNotReadToItsEndStops) {
  for (int i = 0; i < 50; ++i) {
    Loader loader(numbered(40).prefetch(), 4, true, 1, DType::f32, DType::i32);
    if (i % 3 == 0) continue;
    loader.start_epoch(0);
    std::vector<float> x(8);
    std::vector<std::int32_t> y(4);
    void* const memory[] = {x.data(), y.data()};
    if (i % 3 == 1) loader.next(memory);
  }
}

TEST(Dataset, InputsBecomeFloatsAndLabelsStayWhole) {
  Tensor x(Shape{256}, DType::u8), y(Shape{256}, DType::u8);
  for (i64 i = 0; i < 256; ++i) {
    x.set({i}, static_cast<double>(i));
    y.set({i}, static_cast<double>(i));
  }
  Loader loader(Dataset(x, y), 256, false, 0, DType::f32, DType::i32);
  const Epoch epoch = read(loader, 0, 1);
  for (size_t i = 0; i < 256; ++i) {
    // u8 inputs are images: value / 255, correctly rounded.
    EXPECT_EQ(epoch.x[i], static_cast<float>(static_cast<double>(i) / 255.0));
    EXPECT_EQ(epoch.y[i], static_cast<std::int32_t>(i));
  }
  EXPECT_THROW(Loader(Dataset(x, Tensor(Shape{256})), 2, false, 0, DType::f32, DType::i32),
               TypeError);
}

// ---- data sets on disk ----

std::vector<i64> class_counts(const Tensor& labels) {
  std::vector<i64> counts(10);
  for (i64 i = 0; i < labels.size(); ++i) ++counts.at(labels.data<std::uint8_t>()[i]);
  return counts;
}

std::vector<int> first_labels(const Tensor& labels) {
  return {labels.data<std::uint8_t>(), labels.data<std::uint8_t>() + 10};
}

// The facts of Xiao et al. 2017: 6,000 and 1,000 images a class, and the labels that anyone who
// opens the files sees first.
void expect_fashion_mnist(const TrainTest& data) {
  const Sample train = data.train.arrays(), test = data.test.arrays();
  EXPECT_EQ(train.x.shape(), Shape({60000, 28, 28, 1}));
  EXPECT_EQ(test.x.shape(), Shape({10000, 28, 28, 1}));
  EXPECT_EQ(train.x.dtype(), DType::u8);
  EXPECT_EQ(train.y.shape(), Shape({60000}));
  EXPECT_EQ(test.y.shape(), Shape({10000}));
  EXPECT_EQ(class_counts(train.y), std::vector<i64>(10, 6000));
  EXPECT_EQ(class_counts(test.y), std::vector<i64>(10, 1000));
  EXPECT_EQ(first_labels(train.y), (std::vector<int>{9, 0, 0, 3, 0, 2, 7, 2, 5, 5}));
  EXPECT_EQ(first_labels(test.y), (std::vector<int>{9, 2, 1, 1, 6, 1, 4, 6, 5, 7}));
}

TEST(FashionMnist, FromDebiansPackage) { expect_fashion_mnist(data::fashion_mnist()); }

TEST(FashionMnist, FromADirectoryAndAsMnist) {
  const std::string debian = "/usr/share/datasets/fashion-mnist";
  expect_fashion_mnist(data::fashion_mnist(debian));
  expect_fashion_mnist(data::mnist(debian));
}

/// A folder of files that goes away with the test.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("dataset_test_" + std::to_string(getpid()))) {
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  void write(const std::string& name, const std::vector<std::uint8_t>& bytes) const {
    std::FILE* file = std::fopen((path_ / name).c_str(), "wb");
    ASSERT_NE(file, nullptr);
    EXPECT_EQ(std::fwrite(bytes.data(), 1, bytes.size(), file), bytes.size());
    std::fclose(file);
  }
  std::string path() const { return path_; }

 private:
  fs::path path_;
};

TEST(Mnist, PlainFilesInADirectory) {
  const Folder folder;
  const std::vector<std::uint8_t> images = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0,
                                            0, 1, 0, 0, 0, 2, 9, 8, 7, 6};
  folder.write("train-images-idx3-ubyte", images);
  folder.write("train-labels-idx1-ubyte", {0, 0, 8, 1, 0, 0, 0, 2, 3, 4});
  folder.write("t10k-images-idx3-ubyte", images);
  folder.write("t10k-labels-idx1-ubyte", {0, 0, 8, 1, 0, 0, 0, 2, 5, 6});
  const auto [train, test] = data::mnist(folder.path());
  EXPECT_EQ(train.arrays().x.shape(), Shape({2, 1, 2, 1}));
  EXPECT_EQ(train.arrays().x.at({1, 0, 1, 0}), 6);
  EXPECT_EQ(test.arrays().y.at({1}), 6);

  folder.write("t10k-labels-idx1-ubyte", {0, 0, 8, 1, 0, 0, 0, 3, 5, 6, 7});
  expect_contains(message_of<FormatError>([&] { data::mnist(folder.path()); }),
                  {"2 images", "3 labels", folder.path() + "/t10k-labels-idx1-ubyte", "byte"});
  folder.write("t10k-labels-idx1-ubyte", images);
  expect_contains(message_of<FormatError>([&] { data::mnist(folder.path()); }),
                  {"the labels are [2, 1, 2] u8", "byte"});
  folder.write("train-images-idx3-ubyte", {0, 0, 8, 1, 0, 0, 0, 2, 3, 4});
  expect_contains(message_of<FormatError>([&] { data::mnist(folder.path()); }),
                  {"the images are [2] u8", "train-images-idx3-ubyte"});
}

}  // namespace
}  // namespace goneuron
